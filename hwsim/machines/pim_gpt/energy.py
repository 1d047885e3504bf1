"""Energy of a run: what it did, times the energy table that the machine names."""

from __future__ import annotations

import math

from hwsim.energy import Counts, break_down
from hwsim.machines.pim_gpt.units import Execution
from hwsim.report.energy_use import energy_use
from hwsim.report.schema import EnergyUse

# Commands that move a burst over the channel's pins.
IO_COMMANDS = ("WRGB", "RDMAC16", "WR", "WRA16", "RD")


def energy_of(run: Execution) -> EnergyUse | None:
    """Energy by component, or None where the machine has it switched off."""
    costs = run.program.spec.energy_costs
    if costs is None:
        return None
    counts = count_actions(run)
    components = break_down(counts, costs)
    decoded = run.program.workload.run
    return energy_use(
        components,
        costs.table,
        joules=math.fsum(component.joules for component in components),
        seconds=counts.asic_seconds,
        passed=decoded.taken_in * decoded.batch,
        unit=decoded.unit,
        macs=counts.macs,
    )


def count_actions(run: Execution) -> Counts:
    """What the energy of a run depends on."""
    spec, package = run.program.spec, run.pim.package
    standard, issued = package.standard, package.counts
    dram = run.pim.clock
    seconds = spec.time_base.seconds

    def banks(name: str) -> int:
        return issued.get(name, 0) * standard.banks_below(standard.commands[name].scope)

    end = dram.edge(run.ticks)
    rows = package.open_cycles(end)
    # a write that closes its row by itself keeps it open for write recovery, and nothing opens before
    p = standard.params
    recovery = issued.get("WRA16", 0) * (p["nCWL"] + p["nBL"] + p["nWR"])
    return Counts(
        channel_seconds=seconds(dram.ticks(end)) * package.channels,
        open_channel_seconds=seconds(dram.ticks(rows.channels + recovery)),
        open_bank_seconds=seconds(dram.ticks(rows.banks + recovery * standard.banks)),
        activates=banks("ACT") + banks("ACT16"),
        reads=issued.get("RD", 0),
        writes=issued.get("WR", 0),
        write_all_columns=banks("WRA16"),
        mac_columns=banks("MAC16"),
        macs=banks("MAC16") * spec.mac_unit.column_elements,
        refreshes=issued.get("REFab", 0),
        buffer_reads=issued.get("MAC16", 0),
        buffer_writes=issued.get("WRGB", 0),
        io_bits=sum(issued.get(name, 0) for name in IO_COMMANDS) * standard.column_bytes * 8,
        asic_seconds=seconds(run.ticks),
        asic_busy_cycles=run.trace.busy.get("asic", 0) // run.asic.clock.period_ticks,
    )

"""What the units did in a run, as far as energy depends on it."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.dram.currents.components import memory_components, memory_energy
from hwsim.dram.currents.sourced import find_currents
from hwsim.energy import Component
from hwsim.energy.fpga import FpgaCounts, Operations, UnitWork
from hwsim.fabric.traffic import port_traffic
from hwsim.fpga.budget import Budget
from hwsim.machines.m3vit.model import Execution
from hwsim.report.run_time import RunTime


def fpga_counts(run: Execution, time: RunTime, budget: Budget) -> FpgaCounts:
    """Counts for a table of the board's energies.

    Raises
    ------
    EnergyError : a memory whose currents no source states, for a table that does without them
    """
    spec, standard = run.program.spec, run.program.spec.standard
    commands = run.served.commands
    bursts = commands.get("RD", 0) + commands.get("WR", 0)
    return FpgaCounts(
        seconds=time.seconds(time.ticks),
        cycles=time.cycles(time.ticks),
        units=tuple(_units(run, time, budget)),
        ports=port_traffic(spec.memory_system, run.ports),
        dram_bits=8 * bursts * standard.column_bytes,
        memory=_memory(run, time),
    )


def _memory(run: Execution, time: RunTime) -> tuple[Component, ...]:
    """Energy of the board's memory by its currents, where the table leaves it to them."""
    spec, memory = run.program.spec, run.program.spec.memory
    if spec.energies is None or not spec.energies.coefficients.without_memory:
        return ()
    currents = find_currents(memory.standard, bin=memory.bin, device=memory.device)
    return memory_components(memory_energy(run.served, spec.standard, currents, seconds=time.seconds(time.ticks)))


def _units(run: Execution, time: RunTime, budget: Budget) -> Iterator[UnitWork]:
    spec, ledger = run.program.spec, run.ledger
    engine, weight = spec.head_engine, spec.formats.fixed("weight")
    macs = ledger.tiles * engine.macs_per_cycle
    loaded = sum(use.size_bytes for use in run.ports if not use.write and use.port in spec.weight_ports)
    for taken in budget.units:
        busy = run.diagram.trace.busy.get(taken.unit, 0)
        operations: tuple[Operations, ...] = ()
        read = written = 0
        if taken.unit == "engine":
            operations = (Operations.macs(macs, engine.activation.width, weight.width),)
        elif taken.unit == "weights.experts":  # all weights of matrices, whichever buffer they lie in
            read, written = macs * weight.width, 8 * loaded
        yield UnitWork(
            unit=taken.unit,
            lut=int(taken.cells.lut),
            ff=int(taken.cells.ff),
            active_cycles=time.cycles(busy),
            operations=operations,
            bram_bits_read=read,
            bram_bits_written=written,
        )

"""Energy of a run: what the units, the ports and the memory did, times the energy table that the machine names."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.dram.currents.components import memory_components, memory_energy
from hwsim.dram.currents.energy import PlayCounts, PlayEnergy
from hwsim.dram.currents.sourced import Currents, find_currents
from hwsim.dram.standards.load import load_standard
from hwsim.energy.fpga import FpgaCounts, UnitWork
from hwsim.errors import EnergyError, MachineError
from hwsim.fabric.traffic import port_traffic
from hwsim.fpga.budget import Budget
from hwsim.machines.edge_moe.memories import memory_bits
from hwsim.machines.edge_moe.model import Execution
from hwsim.machines.edge_moe.operations import operations
from hwsim.machines.edge_moe.parts import fabric
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.report.energy_use import fpga_energy_use
from hwsim.report.run_time import RunTime
from hwsim.report.schema import EnergyUse
from hwsim.rtl.flows.synthesis.result import Cells


def energy_of(run: Execution, time: RunTime, budget: Budget) -> EnergyUse | None:
    """Energy by component, or None where the machine has it switched off."""
    table, taken_in = run.program.spec.energy_costs, run.program.workload.run
    if table is None:
        return None
    return fpga_energy_use(count_actions(run, time, budget), table, passed=taken_in.produced, unit=taken_in.unit)


def currents_of(spec: EdgeMoeSpec) -> Currents | None:
    """What the chips of the machine's memory draw; None where its energy table covers the memory, or energy is off.

    Raises
    ------
    MachineError : no source states it
    """
    table = spec.energy_costs
    if table is None or not table.coefficients.without_memory:
        return None
    try:
        return find_currents(spec.memory.standard)
    except EnergyError as cause:
        raise MachineError(f"memory.standard: {cause}; energy=off runs without") from None


def count_actions(run: Execution, time: RunTime, budget: Budget) -> FpgaCounts:
    """What the energy of a run depends on.

    Parameters
    ----------
    budget : of the run's units, whose cells switch
    """
    dram = _memory(run, time)
    system = run.memory.player.system
    return FpgaCounts(
        seconds=time.seconds(time.ticks),
        cycles=int(time.cycles(time.ticks)),
        units=tuple(_works(run, time, budget)),
        ports=port_traffic(system, run.memory.player.port_use()),
        dram_bits=_memory_bits(run),
        memory=memory_components(dram) if dram else (),
    )


def _works(run: Execution, time: RunTime, budget: Budget) -> Iterator[UnitWork]:
    """The units; one that lies within another has no cells of its own."""
    design, busy = run.program.design, run.diagram.trace.busy
    cells = {taken.unit: taken.cells for taken in budget.units}
    done, bits = operations(run.counts, design), memory_bits(run.counts, design, budget)
    for unit in fabric(design):
        taken = cells.get(unit.name, Cells())
        yield UnitWork(
            unit=unit.name,
            lut=taken.lut,
            ff=taken.ff,
            active_cycles=busy.get(unit.name, 0) // time.clock.period_ticks,
            operations=done.get(unit.name, ()),
            bram_bits_read=bits.bram_read.get(unit.name, 0),
            bram_bits_written=bits.bram_written.get(unit.name, 0),
            uram_bits_read=bits.uram_read.get(unit.name, 0),
            uram_bits_written=bits.uram_written.get(unit.name, 0),
        )


def _memory_bits(run: Execution) -> int:
    """Bits that column accesses moved, whether or not the table takes the memory's energy from currents."""
    standard = run.program.spec.standard
    counts = PlayCounts.of(run.memory.player.served(), standard)
    return 8 * standard.column_bytes * (counts.reads + counts.writes)


def _memory(run: Execution, time: RunTime) -> PlayEnergy | None:
    """Energy of the DRAM; settings of timing change what is played, not what the currents were measured with."""
    spec = run.program.spec
    currents = currents_of(spec)
    if currents is None:
        return None
    seconds = time.seconds(time.ticks)
    measured = load_standard(spec.memory.standard)
    return memory_energy(run.memory.player.served(), spec.standard, currents, seconds=seconds, measured=measured)

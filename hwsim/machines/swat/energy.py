"""Energy of a run: what the units, the channels and the memory did, times the energy table that the machine names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hwsim.energy.fpga import FpgaCounts, Operations, PortTraffic, UnitWork
from hwsim.fpga.budget import Budget
from hwsim.machines.swat.actions import (
    Done,
    core_active_cycles,
    cores_done,
    divisions_done,
    numbers_done,
    scheduler_done,
    vectors_done,
)
from hwsim.machines.swat.companion.design import Companion
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.memory_use import played_groups
from hwsim.machines.swat.model import Execution
from hwsim.report.energy_use import fpga_energy_use
from hwsim.report.run_time import RunTime
from hwsim.report.schema import DramUse, EnergyUse
from hwsim.rtl.float_operators import float_operator
from hwsim.rtl.flows.synthesis.result import Cells

BEAT_BITS = 256  # of a channel's AXI port


def energy_of(
    run: Execution, time: RunTime, budget: Budget, busy: Mapping[str, int], moved: Mapping[str, int], dram: DramUse
) -> EnergyUse | None:
    """Energy by component, or None where the machine has it switched off.

    Parameters
    ----------
    budget : of the machine's units, whose cells switch
    busy : ticks in which each unit worked
    moved : bytes that crossed the chip's border, by what they are
    """
    table, taken_in = run.program.spec.energies, run.program.workload.run
    if table is None:
        return None
    counts = count_actions(run, time, budget, busy, moved, dram)
    return fpga_energy_use(counts, table, passed=taken_in.produced, unit=taken_in.unit)


def count_actions(
    run: Execution, time: RunTime, budget: Budget, busy: Mapping[str, int], moved: Mapping[str, int], dram: DramUse
) -> FpgaCounts:
    """What the energy of a run depends on."""
    return FpgaCounts(
        seconds=time.seconds(time.ticks),
        cycles=int(time.cycles(time.ticks)),
        units=tuple(
            _works(run, budget, {name: ticks // time.clock.period_ticks for name, ticks in busy.items()}, moved)
        ),
        ports=tuple(
            PortTraffic(port=name, beats=-(-8 * size // BEAT_BITS), beat_bits=BEAT_BITS) for name, size in moved.items()
        ),
        dram_bits=8 * dram.io_bytes,
    )


def _works(run: Execution, budget: Budget, busy: Mapping[str, int], moved: Mapping[str, int]) -> Iterator[UnitWork]:
    """The units; a stage that lies within another has no cells of its own."""
    cells = {taken.unit: taken.cells for taken in budget.units}
    done: dict[str, Done] = {}
    core_rows = rows_all = 0
    for each in run.ledger.attention:
        rows, pairs = _rows(each)
        core_rows, rows_all = core_rows + pairs, rows_all + rows
        for unit, part in _stages_done(each).items():
            done[unit] = done[unit] + part if unit in done else part
    stages = {"QK": busy.get("qk", 0), "SV": busy.get("sv", 0)}
    working = core_active_cycles(stages, core_rows=core_rows, rows=rows_all, cores=run.program.spec.cores)
    for unit, part in done.items():
        active = working if unit == "qk" else busy.get(unit, 0)
        yield part.work(unit, cells.get(unit, Cells()), active)
    if run.program.companion:
        yield from _beside(run, run.program.companion, cells, busy, moved)


def _rows(done: AttentionDone) -> tuple[int, int]:
    """Rows of all heads and passes, and pairs of a row and a core that works on it."""
    groups = done.work.groups
    rows = sum(group.count * len(each.rows) for group in groups for each in group.plan.passes)
    return rows, sum(group.count * group.plan.pairs for group in groups)


def _stages_done(done: AttentionDone) -> dict[str, Done]:
    """What each unit did for an operator of attention."""
    design: Design = done.work.design
    rows, pairs = _rows(done)
    loads = sum(group.count * group.plan.loads for group in done.work.groups)
    divided = sum(heads.count * int(heads.each.divided.sum()) for _, _, heads, _ in played_groups(done))
    found = {
        "load": scheduler_done(design.scheduler, rows=rows),
        "qk": cores_done(design.core, core_rows=pairs, loads=loads),
        "zred1": vectors_done(design.vectors, 1, rows=rows),
        "zred2": vectors_done(design.vectors, 2, rows=rows),
        "rowsum1": numbers_done(design.sums, 1, rows=rows),
        "rowsum2": numbers_done(design.sums, 2, rows=rows),
        "div_out": divisions_done(design.divider, divided=divided),
    }
    if design.spec.softmax == "safe":
        found["max1"] = numbers_done(design.maxima, 1, rows=rows)
        found["max2"] = numbers_done(design.maxima, 2, rows=rows)
    return found


def _beside(
    run: Execution,
    companion: Companion,
    cells: Mapping[str, Cells],
    busy: Mapping[str, int],
    moved: Mapping[str, int],
) -> Iterator[UnitWork]:
    """The companion: products and sums, operations of the lanes, weights and rows through their memories.

    A weight is read for each vector of an array's rows, and a row's element for each group of outputs, so both are read
    once for as many products as the other side of the array has.
    """
    works = [work for work, _ in run.ledger.beside]
    macs = sum(work.macs for work in works)
    matrix, lanes = companion.matrix, companion.vector
    add, exp = (float_operator(operation, lanes.fmt).cells.dsp for operation in ("add", "exp"))
    elements, functions = (sum(getattr(work, name) for work in works) for name in ("element_ops", "special_functions"))
    bits = matrix.fmt.bits
    yield _work("matrix", cells, busy, operations=(Operations(name="mac", count=macs, dsps=matrix.mac().dsp),))
    yield _work(
        "vector",
        cells,
        busy,
        operations=(
            Operations(name="element", count=elements, dsps=add),
            Operations(name="function", count=functions, dsps=exp),
        ),
    )
    yield _work(
        "matrix.weights", cells, {"matrix.weights": busy.get("matrix", 0)},
        read=macs // matrix.array_rows * bits, written=8 * moved.get("weights", 0),
    )  # fmt: skip
    yield _work(
        "matrix.rows", cells, {"matrix.rows": busy.get("matrix", 0) + busy.get("vector", 0)},
        read=macs // matrix.columns * bits, written=8 * moved.get("activations", 0),
    )  # fmt: skip


def _work(
    unit: str,
    cells: Mapping[str, Cells],
    busy: Mapping[str, int],
    *,
    operations: tuple[Operations, ...] = (),
    read: int = 0,
    written: int = 0,
) -> UnitWork:
    taken = cells.get(unit, Cells())
    return UnitWork(
        unit=unit, lut=taken.lut, ff=taken.ff, active_cycles=busy.get(unit, 0), operations=operations,
        uram_bits_read=read, uram_bits_written=written,
    )  # fmt: skip

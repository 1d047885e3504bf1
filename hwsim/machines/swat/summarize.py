"""From a finished run to its report."""

from __future__ import annotations

from hwsim.engine.trace import Cause
from hwsim.fpga.units import units_budget
from hwsim.machines.swat.bound import bound_of
from hwsim.machines.swat.energy import energy_of
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.memory_use import dram_use, memory_use, offchip
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.parts import channels_in_use, memory, stage_units, units
from hwsim.machines.swat.published import figures_beside
from hwsim.machines.swat.rates import peak_macs_per_s
from hwsim.machines.swat.spec import SwatSpec
from hwsim.machines.swat.stages import stages_of
from hwsim.machines.swat.uses import attention_uses, prologue_cycles
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.build import build_report, busiest, unit_use
from hwsim.report.fpga import fpga_resources, fpga_use
from hwsim.report.run_time import RunTime
from hwsim.report.schema import DramUse, Excluded, Report, Throughput, UnitUse


def summarize(run: Execution, spec_file: SpecFile[SwatSpec]) -> Report:
    """The report of a run."""
    spec, workload = run.program.spec, run.program.workload
    time = RunTime(
        ticks=run.ticks, ticks_per_second=spec.time_base.ticks_per_second, clock=run.diagram.clocks["fabric"]
    )
    budget = units_budget(units(run.program.built), spec.name, spec.board)
    uses = attention_uses(run, time)
    seconds, produced = time.seconds(time.ticks), workload.run.produced
    fpga = fpga_use(
        budget,
        clock_hz=float(spec.clock_hz),
        peak_macs_per_s=peak_macs_per_s(spec),
        achieved_macs_per_s=_macs(run) / seconds,
    )
    busy, moved, dram = _busy(run), offchip(run), dram_use(run)
    energy = energy_of(run, time, budget, busy, moved, dram)
    return build_report(
        machine=spec.name,
        spec=spec,
        spec_file=spec_file,
        workload=workload,
        schedule=spec.mode,
        time=time,
        throughput=Throughput(value=produced / seconds, unit=workload.run.unit, count=produced),
        kinds=run.ledger.kinds,
        units=_units(run, time, busy, dram),
        bottleneck=busiest(time, busy, run.ledger.kinds)[1],
        bound=bound_of(run, time),
        memories=[memory_use(spec, dram)],
        offchip=moved,
        energy=energy,
        resources=fpga_resources(fpga),
        instructions=run.ledger.operators,
        excluded=_excluded(run, time),
        published=figures_beside(run, time, budget, uses, energy),
        dram=dram,
        fpga=fpga,
        attention=uses,
    )


def _macs(run: Execution) -> int:
    """Of the model: pairs that a published window adds or drops are not looked at."""
    ledger = run.ledger
    attention = sum(done.work.operator.macs(done.step) for done in ledger.attention)
    return attention + sum(work.macs for work, _ in ledger.beside)


def _busy(run: Execution) -> dict[str, int]:
    """Ticks in which a unit of each kind worked, the mean of the pipelines."""
    busy, pipelines = run.ledger.busy, run.program.spec.pipelines
    stages = stages_of(run.ledger.attention[0].work.design)
    found = {stage.unit: busy[stage.name] // pipelines for stage in stages}
    for unit in ("matrix", "vector") if run.companion else ():
        found[unit] = sum(getattr(played, unit) for _, played in run.ledger.beside)
    return found


def _units(run: Execution, time: RunTime, busy: dict[str, int], dram: DramUse) -> list[UnitUse]:
    spec = run.program.spec
    waits = _waits(run)
    found = [
        unit_use(time, unit, busy.get(unit.name, 0), waits.get(unit.name))
        for unit in stage_units(run.ledger.attention[0].work.design)
    ]
    if spec.companion_units:
        found += [
            unit_use(time, unit, busy.get(unit.name, 0), waits.get(unit.name))
            for unit in spec.companion_units.units()
            if unit.name in ("matrix", "vector")
        ]
    bursts = dram.io_bytes // spec.standard.column_bytes
    pins = run.diagram.clocks["memory"].ticks(bursts * spec.standard.params["nBL"])
    return [*found, unit_use(time, memory(spec), pins // channels_in_use(spec))]


def _waits(run: Execution) -> dict[str, dict[str | Cause, int]]:
    """Unit -> cause -> ticks; of the stages the mean of the pipelines."""
    pipelines = run.program.spec.pipelines
    found: dict[str, dict[str | Cause, int]] = {
        "load": {"waits for memory": run.ledger.total("memory_wait") // pipelines},
        "div_out": {"waits for room": run.ledger.total("room_wait") // pipelines},
    }
    for unit in ("matrix", "vector"):
        mine = [played for work, played in run.ledger.beside if getattr(played, unit)]
        found[unit] = {
            "waits for rows": sum(played.rows_wait for played in mine),
            "waits for weights": sum(played.weights_wait for played in mine),
            "waits for writes": sum(played.writes_wait for played in mine),
        }
    return found


def _excluded(run: Execution, time: RunTime) -> list[Excluded]:
    """Hidden loads of what the first rows of each operator need: those of other passes are beside rows."""
    if run.program.spec.prologue == "counted":
        return []
    cycles = sum(map(_first_loads, run.ledger.attention))
    seconds = time.seconds(time.clock.ticks(cycles))
    return [
        Excluded(
            name="loads before the first row of attention",
            seconds_per_unit=seconds / run.program.workload.run.produced,
            share=seconds / time.seconds(time.ticks),
            note=f"{cycles:,} cycles, behind what ran before; prologue=counted counts them",
        )
    ]


def _first_loads(done: AttentionDone) -> int:
    """Cycles of what no row before brings, in the pipeline that has most of it.

    A head with other keys than the one before begins as an operator does: no row of that one loads for it.
    """
    groups, design = done.work.groups, done.work.design
    return max(
        sum(prologue_cycles(group.plan, design, 0) for group in groups if group.heads(design, pipeline))
        for pipeline in range(design.spec.pipelines)
    )

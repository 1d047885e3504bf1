"""From a finished run to its report."""

from __future__ import annotations

from collections import Counter

from hwsim.fpga.budget import Budget
from hwsim.fpga.units import units_budget
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.parts import HBM, memory, stage_units, units
from hwsim.machines.swat.published import figures_beside
from hwsim.machines.swat.spec import CHANNELS, SwatSpec
from hwsim.machines.swat.uses import attention_uses
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.build import Distance, bound_use, build_report, busiest, unit_use
from hwsim.report.fpga import fpga_resources, fpga_use
from hwsim.report.run_time import RunTime
from hwsim.report.schema import AttentionUse, Bound, DramUse, Excluded, MemoryUse, Report, Throughput, UnitUse

BOUND_NOTE = "pairs of query and key at the rate of all cores, one after the other operator as data depend"


def summarize(run: Execution, spec_file: SpecFile[SwatSpec]) -> Report:
    """The report of a run."""
    spec, workload = run.program.spec, run.program.workload
    time = RunTime(
        ticks=run.ticks, ticks_per_second=spec.time_base.ticks_per_second, clock=run.diagram.clocks["fabric"]
    )
    budget = units_budget(units(spec), spec.name, spec.board)
    uses = attention_uses(run, time)
    seconds, produced = time.seconds(time.ticks), workload.run.produced
    fpga = fpga_use(
        budget,
        clock_hz=float(spec.clock_hz),
        peak_macs_per_s=_peak_macs_per_s(spec),
        achieved_macs_per_s=_macs(run) / seconds,
    )
    busy = _busy(run)
    return build_report(
        machine=spec.name,
        spec=spec,
        spec_file=spec_file,
        workload=workload,
        schedule=spec.mode,
        time=time,
        throughput=Throughput(value=produced / seconds, unit=workload.run.unit, count=produced),
        kinds=run.ledger.kinds,
        units=_units(run, time, busy),
        bottleneck=busiest(time, busy, run.ledger.kinds)[1],
        bound=_bound(run, time),
        memories=_memories(run),
        offchip=_offchip(run),
        energy=None,
        resources=fpga_resources(fpga),
        instructions=run.ledger.operators,
        excluded=_excluded(run, time, uses),
        published=figures_beside(run, time, budget, uses, None),
        dram=_dram(run, time),
        fpga=fpga,
        attention=uses,
    )


def _peak_macs_per_s(spec: SwatSpec) -> float:
    """Of a multiplier for QK and one for SV in each core."""
    rates = 1 / spec.qk_interval + 1 / spec.sv_interval
    return spec.cores * spec.pipelines * rates * float(spec.clock_hz)


def _macs(run: Execution) -> int:
    return sum(done.work.operator.macs(done.step) for done in run.ledger.attention)


def _busy(run: Execution) -> dict[str, int]:
    """Ticks in which a unit of each kind worked, the mean of the pipelines."""
    busy, pipelines = run.ledger.busy, run.program.spec.pipelines
    return {name.lower().replace("&", "_"): ticks // pipelines for name, ticks in busy.items()}


def _units(run: Execution, time: RunTime, busy: dict[str, int]) -> list[UnitUse]:
    pipelines = run.program.spec.pipelines
    waits: dict[str, dict[str, int]] = {
        "load": {"waits for memory": run.ledger.total("memory_wait") // pipelines},
        "div_out": {"waits for room": run.ledger.total("room_wait") // pipelines},
    }
    found = [
        unit_use(time, unit, busy.get(unit.name, 0), {**waits.get(unit.name, {})})
        for unit in stage_units(run.ledger.attention[0].work.design)
    ]
    spec = run.program.spec
    pins = run.diagram.clocks["memory"].ticks(_accesses(run) * spec.standard.params["nBL"])
    return [*found, unit_use(time, memory(spec), pins // (len(CHANNELS) * pipelines))]


def _bound(run: Execution, time: RunTime) -> Bound:
    """Split the latency into the lower bound and what lies above it, by the pipeline that each operator waits for."""
    lower, parts = 0, Counter[str]()
    for done in run.ledger.attention:
        least = min(_least(done), done.ended - done.begun)
        slowest = max(done.played, key=lambda played: played[-1].ended if played else 0)
        lower += least
        parts["waiting for memory"] += sum(each.memory_wait + each.room_wait for each in slowest)
        parts["loads between passes"] += sum(each.prologue for each in slowest)
        parts["filling and emptying the stages"] += sum(each.drain for each in slowest)
    rest = time.ticks - lower - parts.total()
    distance: list[Distance] = [
        ("cores without a key, stages beyond the cores' interval", "unit", rest),
        ("filling and emptying the stages", "unit", parts["filling and emptying the stages"]),
        ("loads between passes", "transfers", parts["loads between passes"]),
        ("waiting for memory", "transfers", parts["waiting for memory"]),
    ]
    return bound_use(time, lower, BOUND_NOTE, distance)


def _least(done: AttentionDone) -> int:
    """Ticks of all pairs if every core always had one."""
    design = done.work.design
    spec = design.spec
    pairs = sum(group.plan.pairs * group.count for group in done.work.groups)
    cycles = pairs * max(spec.qk_interval, spec.sv_interval) * design.head_dim // (spec.cores * spec.pipelines)
    return spec.time_base.clocks["fabric"].ticks(cycles)


def _offchip(run: Execution) -> dict[str, int]:
    found = Counter[str]()
    for done in run.ledger.attention:
        for played in done.all_played:
            found.update(played.read_bytes)
            found["z"] += played.written_bytes
    return {name: found[name] for name in CHANNELS if found[name]}


def _commands(run: Execution) -> Counter[str]:
    found: Counter[str] = Counter()
    for done in run.ledger.attention:
        for played in done.all_played:
            found.update(played.commands)
    return found


def _accesses(run: Execution) -> int:
    commands = _commands(run)
    return sum(commands[name] for name in ("RD", "RDA", "WR", "WRA"))


def _dram(run: Execution, time: RunTime) -> DramUse:
    spec = run.program.spec
    standard, commands = spec.standard, _commands(run)
    reads, writes = commands["RD"] + commands["RDA"], commands["WR"] + commands["WRA"]
    cycle = -(-time.ticks // run.diagram.clocks["memory"].period_ticks)
    refreshes = spec.channel.refreshes_by(cycle) * len(CHANNELS) * spec.pipelines
    if standard.refresh:
        commands[standard.refresh.command] = refreshes
    return DramUse(
        standard=standard.name,
        bytes_read=reads * standard.column_bytes,
        bytes_written=writes * standard.column_bytes,
        io_bytes=(reads + writes) * standard.column_bytes,
        commands={name: count for name, count in sorted(commands.items()) if count},
        row_hit_rate=1 - commands["ACT"] / (reads + writes) if reads + writes else 0.0,
        refreshes=refreshes,
        refresh_cycles=refreshes * standard.params["nRFC"] if refreshes else 0,
        commands_represented=sum(commands.values()),
        steps_executed=0,
    )


def _memories(run: Execution) -> list[MemoryUse]:
    spec, commands = run.program.spec, _commands(run)
    column = spec.standard.column_bytes
    return [
        MemoryUse(
            name=HBM,
            kind="hbm",
            size_bytes=spec.channel.address_mapping.capacity_bytes * spec.hbm.channels,
            used_bytes=None,
            padding_bytes=None,
            bytes_read=(commands["RD"] + commands["RDA"]) * column,
            bytes_written=(commands["WR"] + commands["WRA"]) * column,
            parts=[],
        )
    ]


def _excluded(run: Execution, time: RunTime, uses: list[AttentionUse]) -> list[Excluded]:
    """The loads of a hidden prologue."""
    if run.program.spec.prologue == "counted":
        return []
    cycles = sum(use.prologue_cycles * use.operators * use.heads for use in uses) // run.program.spec.pipelines
    seconds = time.seconds(time.clock.ticks(cycles))
    return [
        Excluded(
            name="loads before the first row of a pass",
            seconds_per_unit=seconds / run.program.workload.run.produced,
            share=seconds / time.seconds(time.ticks),
            note=f"{cycles:,} cycles, hidden behind the rows before; prologue=counted counts them",
        )
    ]

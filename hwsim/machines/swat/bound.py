"""The lower bound of a run, and what lies above it."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hwsim.machines.swat.design import Design
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.rows.head import Head
from hwsim.machines.swat.rows.player import Heads, Played
from hwsim.machines.swat.stages import depth_of, interval_of, stages_of, way_of
from hwsim.mapping.cores.plan import CorePlan
from hwsim.report.build import Distance, bound_use
from hwsim.report.run_time import RunTime
from hwsim.report.schema import Bound

NOTE = (
    "pairs of query and key at the rate of all cores, multiply-accumulates of the companion at the rate of its array, "
    "one operator after the other as data depend"
)


def bound_of(run: Execution, time: RunTime) -> Bound:
    """Split the latency into the lower bound and what lies above it, by the pipeline that each operator waits for."""
    parts: Counter[str] = Counter()
    lower = 0
    for done in run.ledger.attention:
        least = _least(done)
        lower += least
        parts += split_attention(done, least)
    for work, played in run.ledger.beside:
        least = _least_beside(run, work.macs)
        lower += least
        parts["array"] += played.matrix - least
        parts["lanes"] += played.vector
        parts["companion_rows"] += played.rows_wait + played.writes_wait
        parts["weights"] += played.weights_wait
    rest = time.ticks - lower - parts.total()
    distance: list[Distance] = [
        ("cores without a key, and stages slower than a core's products", "unit", parts["stages"]),
        ("filling and emptying the stages", "unit", parts["filling"]),
        ("loads between passes, and more beside a row than it has time for", "transfers", parts["loads"]),
        ("cores wait for memory", "transfers", parts["memory"]),
    ]
    if run.companion:
        distance += [
            ("matrix unit: tiles that are not full, latency", "unit", parts["array"]),
            ("vector lanes", "unit", parts["lanes"]),
            ("companion waits for rows", "transfers", parts["companion_rows"]),
            ("companion waits for weights", "transfers", parts["weights"]),
            ("last rows of attention on their way to the memory", "transfers", rest),
        ]
    return bound_use(time, lower, NOTE, distance)


def split_attention(done: AttentionDone, least: int) -> Counter[str]:
    """What the time of an operator above its lower bound is for, in ticks, by the pipeline that ended last.

    First comes what is known without looking at the memory: loads between passes (with their waits), stages that are
    filled and emptied once a pass, and rows that follow one another at the pace of the slowest stage. Of what is
    beyond, rows that load more than others have time for take theirs, then waits for memory; a wait that another
    stage hid cost nothing and is not there to be taken. In lockstep all this is exact. Where stages advance on their
    own, a part may be hidden behind another one; it is then cut so that the parts still add up.
    """
    left = done.ended - done.begun - least
    parts: Counter[str] = Counter()

    def take(name: str, ticks: int) -> None:
        nonlocal left
        taken = max(0, min(left, ticks))
        parts[name] += taken
        left -= taken

    design, slowest = done.work.design, _slowest(done)
    cycle = design.spec.time_base.clocks["fabric"].ticks(1)
    take("loads", sum(played.prologue for _, _, played in slowest))
    take("filling", cycle * sum(heads.count * _filling(design, plan) for plan, heads, _ in slowest))
    paced = interval_of(stages_of(design)) * sum(heads.count * len(heads.each.units) for _, heads, _ in slowest)
    take("stages", cycle * paced - least)
    take("loads", cycle * sum(_late_loads(design, heads) for _, heads, _ in slowest))
    take("memory", sum(played.memory_wait + played.room_wait for *_, played in slowest))
    take("stages", left)
    return parts


def _slowest(done: AttentionDone) -> list[tuple[CorePlan, Heads, Played]]:
    """What the pipeline that ended last played."""
    pipeline = max(
        range(len(done.played)), key=lambda number: max((each.ended for each in done.played[number]), default=0)
    )
    taken = [(group.plan, heads) for group in done.work.groups if (heads := group.heads(done.work.design, pipeline))]
    return [(plan, heads, played) for (plan, heads), played in zip(taken, done.played[pipeline], strict=True)]


def _filling(design: Design, plan: CorePlan) -> int:
    """Cycles of a head in which its passes take longer than an interval for each of their rows."""
    stages = stages_of(design)
    if design.spec.mode == "lockstep":
        return len(plan.passes) * (depth_of(stages) - 1) * interval_of(stages)
    sooner = design.divider.cycles("divided") - design.divider.cycles("partial")
    partial = sum(bool(each.carries_out[-1]) for each in plan.passes)
    return len(plan.passes) * (way_of(stages) - interval_of(stages)) - partial * sooner


def _late_loads(design: Design, heads: Heads) -> int:
    """Cycles by which stages LOAD with many keys are longer than an interval."""
    interval = interval_of(stages_of(design))

    def of(head: Head) -> int:
        numbers, rows = np.unique(head.units, return_counts=True)
        late = [max(0, design.scheduler.cycles(number) - interval) for number in numbers.tolist()]
        return sum(each * count for each, count in zip(late, rows.tolist()))

    return (heads.count - 1) * of(heads.each) + of(heads.last)


def _least(done: AttentionDone) -> int:
    """Ticks of all pairs if every core always had one."""
    design = done.work.design
    spec = design.spec
    pairs = sum(group.plan.pairs * group.count for group in done.work.groups)
    cycles = pairs * max(spec.qk_interval, spec.sv_interval) * design.head_dim // (spec.cores * spec.pipelines)
    return spec.time_base.clocks["fabric"].ticks(cycles)


def _least_beside(run: Execution, macs: int) -> int:
    """Ticks of multiply-accumulates on a full array."""
    spec = run.program.spec
    assert spec.companion_units is not None  # it has run something
    return spec.time_base.clocks["fabric"].ticks(macs // spec.companion_units.matrix.macs_per_cycle)

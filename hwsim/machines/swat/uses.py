"""What operators of attention came to: the report's section about them."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.lower import HeadGroup
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.rows.player import Played
from hwsim.machines.swat.stages import depth_of, interval_of, stages_of
from hwsim.report.run_time import RunTime
from hwsim.report.schema import AttentionUse

Key = tuple[int, int]  # plan and head size


def attention_uses(run: Execution, time: RunTime) -> list[AttentionUse]:
    """One for each plan and size of heads."""
    found: dict[tuple[int, int], list[tuple[AttentionDone, int]]] = {}
    for done in run.ledger.attention:
        for number, group in enumerate(done.work.groups):
            found.setdefault((id(group.plan), done.work.design.head_dim), []).append((done, number))
    return [_use(run, same, time) for same in found.values()]


def _use(run: Execution, same: list[tuple[AttentionDone, int]], time: RunTime) -> AttentionUse:
    done, number = same[0]
    group, design = done.work.groups[number], done.work.design
    plan, stages = group.plan, stages_of(design)
    rows = sum(len(each.rows) for each in plan.passes)
    heads = sum(each.work.groups[index].count for each, index in same)
    played = [one for each, index in same for one in _played_of(each, index)]
    return AttentionUse(
        pattern=str(done.work.operator.pattern),
        queries=plan.queries,
        keys=plan.keys,
        head_dim=design.head_dim,
        operators=len(same),
        heads=group.count,
        passes=len(plan.passes),
        rows=rows,
        cores=dict(max((each.kinds for each in plan.passes), key=lambda kinds: sum(kinds.values()))),
        cycles=sum(one.ended - one.begun for one in played) / time.clock.period_ticks / heads,
        interval=interval_of(stages),
        depth=depth_of(stages),
        prologue_cycles=sum(design.scheduler.cycles(each.prologue) for each in plan.passes),
        prologue_hidden=run.program.spec.prologue == "hidden",
        loads=plan.loads,
        most_loads_a_row=max(int(head.units.max()) for head in _heads(group, done)),
        pairs=plan.pairs,
        dropped=plan.dropped,
        added=plan.added,
        computing=plan.pairs / (rows * plan.cores),
        moved=_moved(run, same, played, heads),
    )


def _played_of(done: AttentionDone, number: int) -> Iterator[Played]:
    """What each pipeline that took heads of a group made of them."""
    group = done.work.groups[number]
    for pipeline, played in enumerate(done.played):
        taken = [g for g in done.work.groups if g.heads(done.work.design, pipeline)]
        if group in taken:
            yield played[taken.index(group)]


def _heads(group: HeadGroup, done: AttentionDone) -> Iterator:
    heads = group.heads(done.work.design, 0)
    assert heads is not None  # the first pipeline takes the first head
    yield heads.each
    yield heads.last


def _moved(
    run: Execution, same: list[tuple[AttentionDone, int]], played: list[Played], heads: int
) -> dict[str, float]:
    """Bytes of each stream over those of its matrix."""
    done, number = same[0]
    plan, head_dim = done.work.groups[number].plan, done.work.design.head_dim
    element = run.program.spec.fmt.bits // 8
    whole = {"q": plan.queries, "k": plan.keys, "v": plan.keys, "z": plan.queries}
    sums = {name: sum(one.read_bytes[name] for one in played) for name in ("q", "k", "v")}
    sums["z"] = sum(one.written_bytes for one in played)
    found = {name: sums[name] / (rows * head_dim * element * heads) for name, rows in whole.items()}
    carried = sum(one.read_bytes["carry"] for one in played)
    return {**found, "carry": carried / sums["z"]} if carried else found

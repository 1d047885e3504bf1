"""What operators of attention came to: the report's section about them."""

from __future__ import annotations

from hwsim.machines.swat.design import Design
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.memory_use import moved_bytes, played_groups
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.rows.head import rows_before
from hwsim.machines.swat.stages import depth_of, interval_of, stages_of
from hwsim.mapping.cores.plan import CorePlan
from hwsim.report.run_time import RunTime
from hwsim.report.schema import AttentionUse

Group = tuple[AttentionDone, int]  # an operator, and the number of a group of its heads


def attention_uses(run: Execution, time: RunTime) -> list[AttentionUse]:
    """One for each plan and units, which differ with the size of heads and with biases."""
    found: dict[tuple[int, int], list[Group]] = {}
    for done in run.ledger.attention:
        for number, group in enumerate(done.work.groups):
            found.setdefault((id(group.plan), id(done.work.design)), []).append((done, number))
    return [_use(run, same, time) for same in found.values()]


def _use(run: Execution, same: list[Group], time: RunTime) -> AttentionUse:
    done, number = same[0]
    group, design = done.work.groups[number], done.work.design
    plan, stages = group.plan, stages_of(design)
    rows = sum(len(each.rows) for each in plan.passes)
    counted = [entry for each, n in same for entry in played_groups(each) if entry[0] == n]
    heads = sum(taken.count for _, _, taken, _ in counted)
    ticks = sum(one.ended - one.begun for *_, one in counted)
    return AttentionUse(
        pattern=str(group.pattern),
        queries=plan.queries,
        keys=plan.keys,
        head_dim=design.head_dim,
        operators=len(same),
        heads=group.count,
        passes=len(plan.passes),
        rows=rows,
        cores=dict(max(plan.passes, key=lambda each: sum(each.kinds.values())).kinds),
        cycles=ticks / time.clock.period_ticks / heads,
        interval=interval_of(stages),
        depth=depth_of(stages),
        prologue_cycles=sum(prologue_cycles(plan, design, number) for number in range(len(plan.passes))),
        prologue_hidden=run.program.spec.prologue == "hidden",
        loads=plan.loads,
        most_loads_a_row=max(int(taken.each.units.max()) for _, _, taken, _ in counted),
        pairs=plan.pairs,
        dropped=plan.dropped,
        added=plan.added,
        computing=plan.pairs / (rows * plan.cores),
        moved=_moved(run, same, heads),
    )


def prologue_cycles(plan: CorePlan, design: Design, number: int) -> int:
    """Cycles of the loads that a pass needs before its first row, if nothing else is loaded beside them."""
    rows = len(rows_before(plan, number, design.table_rows))
    return design.scheduler.cycles(rows) if rows else 0


def _moved(run: Execution, same: list[Group], heads: int) -> dict[str, float]:
    """Bytes of each stream over those of its matrix; of partial rows over those of Z."""
    done, number = same[0]
    plan, head_dim = done.work.groups[number].plan, done.work.design.head_dim
    element = run.program.spec.fmt.bits // 8
    matrix = {"q": plan.queries, "k": plan.keys, "v": plan.keys, "z": plan.queries, "carry": plan.queries}
    sums = sum((moved_bytes(*each) for each in same), moved_bytes(done, -1))
    return {name: sums[name] / (rows * head_dim * element * heads) for name, rows in matrix.items() if sums[name]}

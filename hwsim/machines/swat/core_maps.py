"""Which core holds which key, of the plans of a run that take most time, and the first rows through the stages."""

from __future__ import annotations

from hwsim.machines.swat.first_rows import first_rows
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.lower import HeadGroup
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.rows.player import RowPlayer
from hwsim.machines.swat.stages import stages_of
from hwsim.mapping.cores.kinds import core_kinds
from hwsim.mapping.cores.plan import BEFORE
from hwsim.mapping.cores.published import published_windows
from hwsim.report.core_map import CoreMap, Held, core_map
from hwsim.report.stage_chart import StageChart, StageSpan

MOST_MAPS = 3
FIRST_ROWS = 8


def core_maps(run: Execution) -> tuple[CoreMap, ...]:
    """A map of each plan, those first that most rows pass; a page has room for a few."""
    rows: dict[int, int] = {}
    groups: dict[int, HeadGroup] = {}
    for done in run.ledger.attention:
        for group in done.work.groups:
            groups.setdefault(id(group.plan), group)
            passed = group.count * sum(len(each.rows) for each in group.plan.passes)
            rows[id(group.plan)] = rows.get(id(group.plan), 0) + passed
    most = sorted(rows, key=lambda plan: -rows[plan])[:MOST_MAPS]
    return tuple(_map(groups[plan], published=run.program.spec.window == "published") for plan in most)


def _map(group: HeadGroup, *, published: bool) -> CoreMap:
    """Of the pass that uses most cores."""
    plan = group.plan
    number, each = max(enumerate(plan.passes), key=lambda entry: sum(entry[1].kinds.values()))
    pattern = published_windows(group.pattern) if published else group.pattern
    kinds, held = core_kinds(each, pattern, plan.keys), each.residencies
    columns = (held.core, held.key, held.first, held.last, held.loaded)
    everything = [
        Held(core=core, key=key, kind=kinds[core], first=first, last=last, loaded=None if loaded == BEFORE else loaded)
        for core, key, first, last, loaded in zip(*(column.tolist() for column in columns))
    ]
    which = f"pass {number + 1} of {len(plan.passes)}" if len(plan.passes) > 1 else "its one pass"
    return core_map(f"{group.pattern}, {which}", everything, len(each.rows))


def stage_chart(run: Execution) -> StageChart:
    """The first rows of the run on the first pipeline, played again: nothing had used its channels before them."""
    done = run.ledger.attention[0]
    group = done.work.groups[0]
    heads = group.heads(done.work.design, 0)
    assert heads is not None  # the first head goes to the first pipeline
    played = RowPlayer(done.work.design).play(heads, done.played[0][0].begun, keep=FIRST_ROWS)
    period = run.diagram.clocks["fabric"].period_ticks
    spans = []
    for number, row in enumerate(first_rows(done, group, heads, played, 0)):
        for stage, (begin, end) in row.times.items():
            wait = row.waits.get(stage)
            work = begin + (wait.ticks if wait else 0)
            at = [(tick - played.begun) // period for tick in (begin, work, end)]
            name = f"row {row.query}"
            if wait:
                spans.append(StageSpan(stage=stage, number=number, name=name, begin=at[0], end=at[1], waits=wait.cause))
            spans.append(StageSpan(stage=stage, number=number, name=name, begin=at[1], end=at[2]))
    return StageChart(title=_title(done), stages=tuple(s.name for s in stages_of(done.work.design)), spans=tuple(spans))


def _title(done: AttentionDone) -> str:
    return f"the first rows of {done.work.operator.name}"

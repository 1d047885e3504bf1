"""Which core holds which key, of the plans of a run that most rows pass."""

from __future__ import annotations

from hwsim.machines.swat.lower import HeadGroup
from hwsim.machines.swat.model import Execution
from hwsim.mapping.cores.kinds import core_kinds
from hwsim.mapping.cores.plan import BEFORE
from hwsim.mapping.cores.published import published_windows
from hwsim.report.core_map import CoreMap, Held, core_map

MOST_MAPS = 3


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

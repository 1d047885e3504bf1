"""The first rows of a group of heads as the player kept them: which they are, when each stage had them, its waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hwsim.machines.swat.design import Design
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.lower import HeadGroup
from hwsim.machines.swat.rows.head import Head
from hwsim.machines.swat.rows.player import Heads, Played
from hwsim.machines.swat.stages import interval_of, stages_of
from hwsim.mapping.cores.plan import CorePlan, Ints


class Wait(NamedTuple):
    """Ticks that a stage waited with a row, and for what."""

    ticks: int
    cause: str


@dataclass(frozen=True, kw_only=True)
class FirstRow:
    """One row.

    Attributes
    ----------
    head, sequence : of the operator's heads, and of the step's sequences
    number : of the pass
    query : number of the row's query
    loads, keys : rows of K that are loaded in its LOAD, and cores that compute with it
    times : stage -> begin and end in ticks, waits included
    waits : stage -> wait, where there is one
    before : begin, end and number of the loads between passes that came before it
    """

    head: int
    sequence: int
    number: int
    query: int
    loads: int
    keys: int
    times: Mapping[str, tuple[int, int]]
    waits: Mapping[str, Wait]
    before: tuple[int, int, int] | None

    @property
    def about(self) -> dict[str, int | str]:
        """What a slice tells of it."""
        return {"head": self.head, "sequence": self.sequence, "pass": self.number, "query": self.query}


def first_rows(
    done: AttentionDone, group: HeadGroup, heads: Heads, played: Played, pipeline: int
) -> Iterator[FirstRow]:
    """The rows in the order in which they went."""
    design, plan = done.work.design, group.plan
    names = [stage.name for stage in stages_of(design)]
    numbers, queries, keys = _rows_of(plan)
    of_group = _heads_of(done, group)
    mine = [of_group[head] for head in group.dealt(pipeline, design.spec.pipelines)]
    ended = played.begun
    for at, logged in enumerate(played.log.tolist()):
        which, row = divmod(at, len(numbers))
        head = heads.each if which < heads.count - 1 else heads.last
        times = {name: (begin, end) for name, (begin, end) in zip(names, logged)}
        number, loads = int(numbers[row]), int(head.units[row])
        before = int(head.before[number]) if row == head.first[number] else 0
        yield FirstRow(
            head=mine[which][0],
            sequence=mine[which][1],
            number=number,
            query=int(queries[row]),
            loads=loads,
            keys=int(keys[row]),
            times=times,
            waits=_waits(times, head, row, design),
            before=(ended, times[names[0]][0], before) if before else None,
        )
        ended = _left(times[names[-1]], design)


@lru_cache(maxsize=16)
def _rows_of(plan: CorePlan) -> tuple[Ints, Ints, Ints]:
    """Of all rows of a head: the pass, the query, and the cores that hold a key for it."""
    numbers = np.concatenate([np.full(len(each.rows), i) for i, each in enumerate(plan.passes)])
    queries = np.concatenate([each.rows for each in plan.passes]) - (plan.keys - plan.queries)
    held = []
    for each in plan.passes:
        begun = np.bincount(each.residencies.first, minlength=len(each.rows) + 1)
        ended = np.bincount(each.residencies.last + 1, minlength=len(each.rows) + 1)
        held.append(np.cumsum(begun - ended)[:-1])
    return numbers, queries, np.concatenate(held)


def _heads_of(done: AttentionDone, group: HeadGroup) -> list[tuple[int, int]]:
    """Head and sequence of each head of a group, in the order in which they are dealt."""
    op = done.work.operator
    pattern, period = op.pattern, op.pattern.heads_period
    heads = [head for head in range(op.heads) if pattern.of_head(head % period) == group.pattern]
    return [(head, sequence) for head in heads for sequence in range(done.step.batch)]


def _waits(times: Mapping[str, tuple[int, int]], head: Head, row: int, design: Design) -> dict[str, Wait]:
    """What the first and the last stage took beyond their work."""
    ticks = design.spec.time_base.clocks["fabric"].ticks
    names = list(times)
    load = design.scheduler.cycles(int(head.units[row]))
    if head.carries[row] >= 0:
        carried = design.scheduler.interval * (design.head_dim + design.spec.extra) + design.scheduler.latency
        load = max(load, carried)
    leave = design.divider.cycles("divided" if head.divided[row] else "partial")
    work = ((names[0], load, "waits for memory"), (names[-1], leave, "waits for room"))
    found = {name: Wait(times[name][1] - times[name][0] - ticks(cycles), cause) for name, cycles, cause in work}
    return {name: wait for name, wait in found.items() if wait.ticks}


def _left(last: tuple[int, int], design: Design) -> int:
    """When the row's pass has ended if it is the last one of it: in lockstep, with its step."""
    if design.spec.mode == "elastic":
        return last[1]
    interval = design.spec.time_base.clocks["fabric"].ticks(interval_of(stages_of(design)))
    return max(last[1], last[0] + interval)

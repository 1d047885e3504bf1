"""What the rows of one head do: static arrays, made of a plan once for all heads with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from hwsim.machines.swat.rows.bursts import Bursts, RowsInMemory, bursts_of
from hwsim.mapping.cores.plan import BEFORE, CorePass, CorePlan, Ints
from hwsim.mapping.cores.prologue import AFTERWARDS, hide_prologue
from hwsim.mapping.cores.target import CoreTarget

Prologue = Literal["hidden", "counted"]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the rows of a head lie in memory, and how far ahead their streams run.

    Attributes
    ----------
    row, result, partial : rows of Q, K and V; of Z; and rows that go undivided from pass to pass
    ahead : rows of K and V among which a burst may gather its own: at least those of a block, and those that are
        loaded side by side
    """

    row: RowsInMemory
    result: RowsInMemory
    partial: RowsInMemory
    ahead: int

    @property
    def key_room(self) -> int:
        """Rows that the buffer of K holds, and that of V: twice what it looks ahead."""
        return 2 * self.ahead

    @property
    def query_room(self) -> int:
        """Rows of Q that its buffer holds: two of the longest bursts."""
        return 2 * self.row.per_block

    @property
    def carried_room(self) -> int:
        """Partial rows that the buffer of those that come in holds: two of the longest bursts."""
        return 2 * self.partial.per_block


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """The rows of one head, pass after pass.

    Attributes
    ----------
    first : (passes + 1,) row with which each pass begins
    before : (passes + 1,) rows of K that are loaded before the first row of each pass, and after the last row of all
    units : (rows,) rows of K (and of V) that are loaded in the LOAD stage of each row
    divided : (rows,) whether a row leaves divided; otherwise it is a partial row
    keys : bursts of K, and of V, in the order of loading
    queries, results, carried : bursts of Q; of what leaves, and of partial rows that come in
    carried_first : (passes + 1,) burst of `carried` with which each pass begins
    carries : (rows,) burst of `carried` that a row waits for, or -1
    """

    first: Ints
    before: Ints
    units: Ints
    divided: Ints
    keys: Bursts
    queries: Bursts
    results: Bursts
    carried: Bursts
    carried_first: Ints
    carries: Ints


def make_head(
    plan: CorePlan,
    layout: Layout,
    *,
    prologue: Prologue,
    free_loads: int,
    following: bool,
    sv_stage: int = 2,
    table_rows: int = 0,
) -> Head:
    """The arrays of a head.

    With a hidden prologue, what a pass must hold before its first row is loaded in the LOAD stages of the rows of the
    pass before, as far as banks are free there (`hide_prologue`), and the rest between the two; so is what the first
    pass of the next head needs. A table has two banks of its own, so that its rows come at any time.

    Parameters
    ----------
    free_loads : rows of K that a LOAD stage loads for nothing
    following : whether another head of the same plan follows
    sv_stage : of `CoreTarget`
    table_rows : rows of a table behind K, and as many behind V, that all cores get before a head's first row
    """
    passes, counted = plan.passes, prologue == "counted"
    target = CoreTarget(cores=plan.cores, loads=free_loads, sv_stage=sv_stage)
    before = [rows_before(plan, 0, table_rows) if counted else []]
    loads: list[tuple[Ints, list[int]]] = []
    for number, each in enumerate(passes, 1):
        ahead = _nothing()
        if number < len(passes):
            ahead = _between(passes[number]) if counted else _ahead(each, passes[number], target)
        elif following and not counted:  # or the next head begins with its own prologue
            ahead = _ahead(each, passes[0], target, _table(plan, table_rows))
        loads.append(_loads(each, ahead))
        before.append(ahead.afterwards)
    carried = [_carried(each, layout) for each in passes]
    return Head(
        first=np.cumsum([0, *(len(each.rows) for each in passes)], dtype=np.int64),
        before=np.array([len(keys) for keys in before], dtype=np.int64),
        units=np.concatenate([units for units, _ in loads]),
        divided=np.concatenate([(~each.carries_out).astype(np.int64) for each in passes]),
        keys=bursts_of(_in_turn(before, [keys for _, keys in loads]), layout.row, layout.ahead),
        queries=_joined([bursts_of(each.rows.tolist(), layout.row) for each in passes]),
        results=_joined([_results(each, layout) for each in passes]),
        carried=_joined(carried),
        carried_first=np.cumsum([0, *(len(bursts.kind) for bursts in carried)], dtype=np.int64),
        carries=_carries(passes, carried),
    )


def prologue_bursts(plan: CorePlan, layout: Layout, table_rows: int = 0) -> Bursts:
    """The bursts of K for what the first pass needs before its first row."""
    return bursts_of(rows_before(plan, 0, table_rows), layout.row, layout.ahead)


def rows_before(plan: CorePlan, number: int, table_rows: int = 0) -> list[int]:
    """Rows of K that a pass needs before its first row, the first one with those of a table that lies behind K."""
    table = _table(plan, table_rows) if number == 0 else ()
    return [*_prologue(plan.passes[number]), *table]


class _Ahead(NamedTuple):
    """What the rows of a pass load for the pass after it: keys with the row of each, and those that come afterwards."""

    rows: Ints
    keys: Ints
    afterwards: list[int]


def _nothing() -> _Ahead:
    none = np.zeros(0, dtype=np.int64)
    return _Ahead(none, none, [])


def _between(after: CorePass) -> _Ahead:
    """All that a pass needs comes between the two."""
    return _nothing()._replace(afterwards=_prologue(after))


def _ahead(each: CorePass, after: CorePass, target: CoreTarget, table: range = range(0)) -> _Ahead:
    held = after.residencies
    keys = held.key[held.loaded == BEFORE]
    rows = hide_prologue(each, after, target)
    early = rows != AFTERWARDS
    loads = each.loads + np.bincount(rows[early], minlength=len(each.rows))
    of_table = np.repeat(np.arange(len(each.rows)), spread_loads(loads, len(table), target.loads))
    return _Ahead(
        rows=np.concatenate([rows[early], of_table]),
        keys=np.concatenate([keys[early], np.array(table, dtype=np.int64)]),
        afterwards=sorted(keys[~early].tolist()),
    )


def spread_loads(own: Ints, more: int, free: int) -> Ints:
    """Further loads a row, as late as possible: at most `free` with those of its own, or as few more as all need.

    Parameters
    ----------
    own : (rows,) loads that are fixed
    more : further ones to be spread
    """
    limit = free
    while (lacking := more - int(np.maximum(limit - own, 0).sum())) > 0:
        limit += -(-lacking // len(own))
    room = np.maximum(limit - own, 0)[::-1]
    taken: Ints = np.diff(np.minimum(np.cumsum(room), more), prepend=0)[::-1]
    return taken


def _loads(each: CorePass, ahead: _Ahead) -> tuple[Ints, list[int]]:
    """Number of loads of each row, and the keys in their order: of each row its own, then some for the pass after."""
    held = each.residencies
    own = held.loaded != BEFORE
    rows = np.concatenate([held.loaded[own], ahead.rows])
    keys = np.concatenate([held.key[own], ahead.keys])
    later = np.arange(len(keys)) >= len(keys) - len(ahead.keys)
    return np.bincount(rows, minlength=len(each.rows)), keys[np.lexsort((keys, later, rows))].tolist()


def _in_turn(before: list[list[int]], during: list[list[int]]) -> list[int]:
    """Keys that are loaded before, between and after passes, with those that their rows load."""
    keys = list(before[0])
    for of_rows, between in zip(during, before[1:]):
        keys += of_rows
        keys += between
    return keys


def _prologue(each: CorePass) -> list[int]:
    held = each.residencies
    return sorted(held.key[held.loaded == BEFORE].tolist())


def _table(plan: CorePlan, rows: int) -> range:
    return range(plan.keys, plan.keys + rows)


def _results(each: CorePass, layout: Layout) -> Bursts:
    """What leaves in a pass: results and partial rows lie in regions of their own, so their bursts do not mix."""
    out = each.carries_out
    if not out.any():
        return bursts_of(each.rows.tolist(), layout.result)
    if out.all():
        return bursts_of(each.rows.tolist(), layout.partial)
    edges = np.flatnonzero(np.diff(out)) + 1
    parts = [
        bursts_of(rows.tolist(), layout.partial if partial[0] else layout.result)
        for rows, partial in zip(np.split(each.rows, edges), np.split(out, edges))
    ]
    return _joined(parts)


def _carried(each: CorePass, layout: Layout) -> Bursts:
    return bursts_of(each.rows[each.carries_in].tolist(), layout.partial)


def _carries(passes: tuple[CorePass, ...], carried: list[Bursts]) -> Ints:
    found, base = [], 0
    for each, bursts in zip(passes, carried):
        waits = np.full(len(each.rows), -1, dtype=np.int64)
        waits[each.carries_in] = bursts.burst_of + base
        found.append(waits)
        base += len(bursts.kind)
    return np.concatenate(found)


def _joined(parts: list[Bursts]) -> Bursts:
    """Streams one after the other; no burst spans two of them."""
    kinds = tuple(dict.fromkeys(kind for part in parts for kind in part.kinds))
    number = {kind: i for i, kind in enumerate(kinds)}
    renamed, ends, burst_of = [], [], []
    rows = bursts = 0
    for part in parts:
        names = np.array([number[kind] for kind in part.kinds], dtype=np.int64)
        renamed.append(names[part.kind] if len(part.kind) else part.kind)
        ends.append(part.ends + rows)
        burst_of.append(part.burst_of + bursts)
        rows, bursts = rows + len(part.burst_of), bursts + len(part.kind)
    return Bursts(
        kinds=kinds,
        kind=np.concatenate(renamed) if renamed else np.zeros(0, dtype=np.int64),
        ends=np.concatenate(ends) if ends else np.zeros(0, dtype=np.int64),
        burst_of=np.concatenate(burst_of) if burst_of else np.zeros(0, dtype=np.int64),
    )

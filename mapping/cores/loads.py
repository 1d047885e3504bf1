"""When keys are loaded: in whose row's LOAD stage, spread so that few rows load more than they can for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

import numpy as np

from hwsim.mapping.cores.plan import BEFORE, Ints
from hwsim.mapping.cores.target import CoreTarget


def schedule_loads(core: Ints, first: Ints, last: Ints, target: CoreTarget) -> Ints:
    """The row in whose LOAD stage each residency is loaded, or BEFORE.

    The number of loads a row is the smallest, up to `target.loads`, with which none is late and only what the first
    row needs is loaded before it. Where `target.loads` itself is too small, the first keys of cores are loaded before
    the first row, and rows in which other loads cannot wait any longer load more: as few above it as there must be.

    Parameters
    ----------
    core, first, last : (residencies,) `first` ascends
    """
    if not len(first):
        return np.zeros(0, dtype=np.int64)
    release = _releases(core, first, last, target.bank_free_after)
    late = np.where((release == BEFORE) & (first > 0), 0, release)
    windows, _, sizes = _grouped(late, first)
    least, most = 1, target.loads
    while least < most:
        middle = (least + most) // 2
        if _fits(windows, sizes, middle):
            most = middle
        else:
            least = middle + 1
    windows, group, sizes = _grouped(release, first)
    row, count = np.array([(row, count) for _, row, count in sorted(_latest(windows, sizes, least))], dtype=np.int64).T
    loaded = np.empty(len(first), dtype=np.int64)
    loaded[np.argsort(group, kind="stable")] = np.repeat(row, count)  # earlier rows load earlier keys of a group
    return _in_turn(core, first, loaded)


def _in_turn(core: Ints, first: Ints, loaded: Ints) -> Ints:
    """The same rows, such that a core gets its keys in the order in which it needs them.

    So its banks take turns. Release and deadline of the keys of a core both ascend, which allows any such exchange.
    """
    ordered = np.empty_like(loaded)
    ordered[np.lexsort((first, core))] = loaded[np.lexsort((loaded, core))]
    return ordered


def _grouped(release: Ints, first: Ints) -> tuple[Ints, Ints, Ints]:
    """(2, groups) release and deadline, (residencies,) group of each, (groups,) how many share them."""
    windows, group, sizes = np.unique(np.stack([release, first]), axis=1, return_inverse=True, return_counts=True)
    return windows, group.reshape(-1), sizes


def _releases(core: Ints, first: Ints, last: Ints, bank_free_after: int) -> Ints:
    """The first row in whose LOAD stage the bank is free; BEFORE for the first key of each core."""
    order = np.lexsort((first, core))
    number = np.arange(len(core)) - np.searchsorted(core[order], core[order])  # of the residency on its core
    release = np.empty(len(core), dtype=np.int64)
    release[order] = np.where(number == 0, BEFORE, 0)
    third = np.flatnonzero(number > 1)
    release[order[third]] = last[order[third - 2]] + bank_free_after  # two residencies further is the same bank
    return release


def _fits(windows: Ints, sizes: Ints, cap: int) -> bool:
    loaded = dict[int, int]()
    for _, row, count in _latest(windows, sizes, cap):
        if row != BEFORE:
            loaded[row] = loaded.get(row, 0) + count
    return max(loaded.values(), default=0) <= cap


def _latest(windows: Ints, sizes: Ints, cap: int) -> Iterator[tuple[int, int, int]]:
    """Group, row and number of loads there: each as late as `cap` loads a row allow, those that can wait least first.

    From the last row to the first, the loads that may still be here are kept by their release; the latest release
    goes first, which meets all of them if any order does (earliest deadline first, with time reversed).

    Parameters
    ----------
    windows : (2, groups) release and deadline of loads that share both
    sizes : (groups,) how many do
    """
    by_deadline = np.argsort(windows[1], kind="stable").tolist()
    release, deadline, left = windows[0].tolist(), windows[1].tolist(), sizes.tolist()
    waiting: list[tuple[int, int]] = []  # minus the release, minus the group: groups ascend with the deadline
    row = -1
    while by_deadline or waiting:
        if not waiting:
            row = deadline[by_deadline[-1]]
        while by_deadline and deadline[by_deadline[-1]] >= row:
            group = by_deadline.pop()
            heappush(waiting, (-release[group], -group))
        room = cap
        while waiting and (room > 0 or -waiting[0][0] == row or row == BEFORE):
            group = -waiting[0][1]
            count = left[group] if release[group] == row else min(room, left[group])
            yield group, row, count
            left[group] -= count
            room -= count
            if not left[group]:
                heappop(waiting)
        row -= 1

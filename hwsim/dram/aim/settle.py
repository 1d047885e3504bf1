"""What of the channels' state matters after a barrier.

No request is left, so only open rows and running constraints reach beyond. Times count from the barrier, rows are
numbered in the order in which they appear, since only their equality matters, and channels of equal state become one
class again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.dram.aim import layout
from hwsim.dram.aim.isa import Ints
from hwsim.dram.aim.layout import Tables
from hwsim.dram.device.standard import Standard

FOREIGN = 1 << 40  # rows by number, from here on


@dataclass(frozen=True, kw_only=True, eq=False)
class Settled:
    """States after a barrier, with rows by number.

    Attributes
    ----------
    states : (classes, layout.SIZE), in an order that follows from their members
    rows : the row of each number; rows of activation functions keep theirs
    counted : channels of each class before equal ones became one, as bits of a mask, and their counters
    """

    states: Ints
    rows: tuple[int, ...]
    counted: list[tuple[int, Ints]]


class Settlement:
    """Reduces states after a barrier to what matters, and makes states again of that."""

    def __init__(self, standard: Standard, tables: Tables) -> None:
        self.tables = tables
        self.standard = standard
        at = tables.layout
        self.open_rows = slice(at[layout.ROWS_AT], at[layout.RING_BASE])
        self.buffers = slice(at[layout.READ_AT], at[layout.COUNTS_AT])
        self.ring = slice(at[layout.RING_BASE], at[layout.READ_AT])
        self.counts = slice(at[layout.COUNTS_AT], at[layout.GAPS_AT] + at[layout.COMMANDS] + 1)
        self.issues = slice(tables.levels[0, 0], at[layout.SIZE])
        longest = {name: 0 for name in standard.commands}
        for constraint in standard.constraints:
            longest[constraint.preceding] = max(longest[constraint.preceding], constraint.latency)
        nodes = (at[layout.SIZE] - tables.levels[0, 0]) // len(longest)
        self.longest = np.tile(np.array(list(longest.values()), dtype=np.int64), nodes)

    def settle(self, states: Ints, now: int) -> Settled:
        """Settle after a barrier that was answered in cycle `now`; changes `states`."""
        counted = self._count(states, now)
        self._forget(states, now)
        merged = _merge(states)
        return Settled(states=merged, rows=self._number_rows(merged), counted=counted)

    def with_rows(self, settled: Settled, rows: tuple[int, ...]) -> Ints:
        """The states with a row for each number; a row may stay a number, as `FOREIGN` and more."""
        states = settled.states.copy()
        opened = states[:, self.open_rows]
        numbered = opened >= FOREIGN
        opened[numbered] = np.array(rows, dtype=np.int64)[opened[numbered] - FOREIGN]
        states[:, self.open_rows] = opened
        return states

    def _count(self, states: Ints, now: int) -> list[tuple[int, Ints]]:
        """Take out the counters."""
        still_open = states[:, layout.OPEN_SINCE] >= 0
        states[still_open, layout.OPEN_CYCLES] += now + 1 - states[still_open, layout.OPEN_SINCE]
        states[still_open, layout.OPEN_SINCE] = 1
        counted = [(int(state[layout.MEMBERS]), layout.counters(state, self.tables)) for state in states]
        states[:, [layout.BUSY, layout.OPEN_CYCLES]] = 0
        states[:, self.counts] = 0
        return counted

    def _forget(self, states: Ints, now: int) -> None:
        """Count time from cycle `now` on, and drop what cannot matter any more."""
        refreshed = bool(self.tables.refresh[layout.INTERVAL])
        # A request waits at least until cycle 1. An overdue refresh goes before cycle 1 unless a constraint prevents
        # it, so constraints that end by cycle 1 must be kept then.
        issued = states[:, layout.LAST_ISSUE] - now
        states[:, layout.LAST_ISSUE] = np.where(refreshed & (issued >= 0), issued, layout.NEVER)
        for scalar in (layout.LAST_LEFT, layout.LAST_ANSWER, layout.LAST_FINISH):
            states[:, scalar] = layout.NEVER  # cycle 1 follows all of them
        states[:, self.ring] = layout.NEVER
        states[:, self.buffers] = 0
        states[:, [layout.RING_AT, layout.ACCOUNTED, layout.NEXT]] = 0
        states[:, [layout.WRITE_FIRST, layout.BUSY_UNTIL]] = 1  # a cycle without requests switches to writes
        if refreshed:
            states[:, layout.DUE] -= now
        issues = states[:, self.issues]
        issues -= now
        issues[issues + self.longest < (1 if refreshed else 2)] = layout.NEVER
        states[:, self.issues] = issues

    def _number_rows(self, states: Ints) -> tuple[int, ...]:
        """Replace open rows by numbers in the order of their appearance; return the row of each."""
        opened = states[:, self.open_rows]
        ordinary = (opened >= 0) & ((opened < self.standard.rows) | (opened >= FOREIGN))
        rows, first, numbers = np.unique(opened[ordinary], return_index=True, return_inverse=True)
        order = np.argsort(first)
        opened[ordinary] = FOREIGN + np.argsort(order)[numbers]
        states[:, self.open_rows] = opened
        return tuple(rows[order].tolist())


def _merge(states: Ints) -> Ints:
    """Merge channels of equal state into one class."""
    classes: dict[bytes, Ints] = {}
    members = states[:, layout.MEMBERS].tolist()
    states[:, layout.MEMBERS] = 0
    for state, mine in zip(states, members, strict=True):
        classes.setdefault(state.tobytes(), state)[layout.MEMBERS] |= mine
    return np.array(sorted(classes.values(), key=lambda s: -int(s[layout.MEMBERS])), dtype=np.int64)

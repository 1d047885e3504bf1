"""A player for programs that repeat: a program that was played once from the same state is not played again.

A program here ends in a barrier, after which the channels are idle. So the only relevant past is which rows are open
and which constraints still hold. Times count from the barrier, and channels with the same relevant past become one
class again. Programs that differ only in their first row count as the same, because only the equality of rows matters.
With refresh everything depends on the time since the last refresh, so nothing is remembered. All this is exact; tests
compare with `AimPlayer`, under refresh too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from hwsim.dram.aim import layout
from hwsim.dram.aim.isa import Ints
from hwsim.dram.aim.player import PLAY, QUEUE_DEPTH, ChannelResult, channel_result, members_of
from hwsim.dram.device.standard import Standard

REMEMBERED = 4096  # programs with their results
FOREIGN = 1 << 40  # rows outside the program, numbered from here on
_NO_LOG = np.zeros((1, layout.LOG_FIELDS), dtype=np.int64)


@dataclass(kw_only=True, eq=False)
class _Played:
    """What a program did when started from some state.

    Attributes
    ----------
    ends : cycle of the end of each part, counted from the program's start
    counted : channels of a class and its counters
    """

    ends: tuple[int, ...]
    states: Ints
    function: int
    counted: list[tuple[int, Ints]]
    times: int = 0


class RepeatingPlayer:
    """Host and channels, as `AimPlayer`; plays programs that end in SYNC or EOC.

    Attributes
    ----------
    cycle : the cycle in which the last program was done
    played, repeated : programs that had to be played, and programs whose results were known
    instructions : in the programs that had to be played
    """

    def __init__(self, standard: Standard, channels: int, *, remember: int = REMEMBERED) -> None:
        self.standard = standard
        self.channels = channels
        self.cycle = 0
        self.played = self.repeated = self.instructions = 0
        self._remember = 0 if standard.refresh else remember
        self._tables = layout.compile_tables(standard, QUEUE_DEPTH)
        self._settled = _Settlement(standard, self._tables)
        states, host = layout.new_state(self._tables, channels)
        self._states, self._function = states[:1], int(host[layout.FUNCTION])
        self._known: OrderedDict[Hashable, _Played] = OrderedDict()
        size = len(layout.counters(states[0], self._tables))
        self._totals = np.zeros((channels, size), dtype=np.int64)

    def play(self, parts: Iterable[Ints], *, key: Hashable, base_row: int, rows: int) -> tuple[int, ...]:
        """Play a program in parts, the last of which ends in a barrier.

        Parameters
        ----------
        parts : encoded instructions, within the standard's limits; rows are counted from `base_row`
        key : the same for equal parts
        rows : rows from `base_row` on that the parts may name

        Returns
        -------
        Cycles of each part: the host's time from its first instruction to the first of the next part.
        """
        states, outside = self._hide_rows(base_row, rows)
        whole = (key, self._function, states.tobytes()) if self._remember else None
        found = self._known.get(whole) if whole else None
        if found is None:
            found = self._play(parts, states)
            self.played += 1
            if whole:
                self._known[whole] = found
        else:
            self._known.move_to_end(whole)
            self.repeated += 1
        found.times += 1
        if not whole:
            self._tally(found)
        elif len(self._known) > self._remember:
            self._tally(self._known.popitem(last=False)[1])
        self.cycle += found.ends[-1]
        self._states, self._function = self._show_rows(found.states, base_row, outside), found.function
        return tuple(np.diff(found.ends, prepend=0).tolist())

    def results(self) -> list[ChannelResult]:
        """What each channel did so far."""
        for played in self._known.values():
            self._tally(played)
        names = list(self.standard.commands)
        return [channel_result(self._totals[channel], names) for channel in range(self.channels)]

    def _play(self, parts: Iterable[Ints], start: Ints) -> _Played:
        states = np.zeros((self.channels, start.shape[1]), dtype=np.int64)
        states[: len(start)] = start
        host = np.array([1, self._function, len(start)], dtype=np.int64)
        ends = []
        for part in parts:
            self.instructions += len(part)
            PLAY(part, 0, states, host, _NO_LOG, self._tables)
            ends.append(int(host[layout.CLOCK]) - 1)
        states = states[: host[layout.CLASSES]]
        counted = self._settled.settle(states, ends[-1])
        merged = self._settled.merge(states)
        return _Played(ends=tuple(ends), states=merged, function=int(host[layout.FUNCTION]), counted=counted)

    def _tally(self, played: _Played) -> None:
        for mask, counters in played.counted:
            self._totals[list(members_of(mask, self.channels))] += played.times * counters
        played.times = 0

    def _hide_rows(self, base_row: int, rows: int) -> tuple[Ints, Ints]:
        """The states with open rows counted from a program's first row, and the rows outside the program, numbered."""
        states = self._states.copy()
        opened = states[:, self._settled.rows]
        within = (opened >= base_row) & (opened < base_row + rows)
        outside = (opened >= 0) & (opened < self.standard.rows) & ~within
        names, numbers = np.unique(opened[outside], return_inverse=True)
        opened[within] -= base_row
        opened[outside] = FOREIGN + numbers
        states[:, self._settled.rows] = opened
        return states, names

    def _show_rows(self, states: Ints, base_row: int, outside: Ints) -> Ints:
        """The inverse of `_hide_rows`."""
        states = states.copy()
        opened = states[:, self._settled.rows]
        within = (opened >= 0) & (opened < self.standard.rows)
        foreign = opened >= FOREIGN
        opened[foreign] = outside[opened[foreign] - FOREIGN]
        opened[within] += base_row
        states[:, self._settled.rows] = opened
        return states


class _Settlement:
    """Reduces states after a barrier to their relevant part."""

    def __init__(self, standard: Standard, tables: layout.Tables) -> None:
        self.tables = tables
        at = tables.layout
        self.rows = slice(at[layout.ROWS_AT], at[layout.RING_BASE])
        self.buffers = slice(at[layout.READ_AT], at[layout.COUNTS_AT])
        self.ring = slice(at[layout.RING_BASE], at[layout.READ_AT])
        self.counts = slice(at[layout.COUNTS_AT], at[layout.GAPS_AT] + at[layout.COMMANDS] + 1)
        self.issues = slice(tables.levels[0, 0], at[layout.SIZE])
        longest = {name: 0 for name in standard.commands}
        for constraint in standard.constraints:
            longest[constraint.preceding] = max(longest[constraint.preceding], constraint.latency)
        nodes = (at[layout.SIZE] - tables.levels[0, 0]) // len(longest)
        self.longest = np.tile(np.array(list(longest.values()), dtype=np.int64), nodes)

    def settle(self, states: Ints, now: int) -> list[tuple[int, Ints]]:
        """Count time from cycle `now` on, and drop what cannot matter any more; return the counters.

        A barrier was answered in cycle `now`: no request is left, and only constraints reach beyond it.
        """
        still_open = states[:, layout.OPEN_SINCE] >= 0
        states[still_open, layout.OPEN_CYCLES] += now + 1 - states[still_open, layout.OPEN_SINCE]
        states[still_open, layout.OPEN_SINCE] = 1
        counted = [(int(state[layout.MEMBERS]), layout.counters(state, self.tables)) for state in states]
        states[:, [layout.BUSY, layout.OPEN_CYCLES]] = 0
        states[:, self.counts] = 0
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
        return counted

    def merge(self, states: Ints) -> Ints:
        """Merge channels of equal state into one class."""
        classes: dict[bytes, Ints] = {}
        members = states[:, layout.MEMBERS].tolist()
        states[:, layout.MEMBERS] = 0
        for state, mine in zip(states, members, strict=True):
            classes.setdefault(state.tobytes(), state)[layout.MEMBERS] |= mine
        return np.array(sorted(classes.values(), key=lambda s: -int(s[layout.MEMBERS])), dtype=np.int64)

"""A player for programs that repeat: a program that was played once from the same state is not played again.

A program here ends in a barrier, so `settle` says what of the past matters. Programs that differ only in their first
row count as the same, because only the equality of rows matters: beside a program and the state before it, it is
remembered which of the open rows are rows of the program. With refresh everything depends on the time since the last
refresh, so nothing is remembered. All this is exact; tests compare with `AimPlayer`, under refresh too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hwsim.dram.aim.isa import Ints
from hwsim.dram.aim.ledger import counters, new_ledger, new_log
from hwsim.dram.aim.player import PLAY, QUEUE_DEPTH, ChannelResult, channel_result, members_of
from hwsim.dram.aim.settle import FOREIGN, Settled, Settlement
from hwsim.dram.aim.state import Channels, Host, map_arrays, new_host
from hwsim.dram.aim.tables import compile_aim
from hwsim.dram.device.standard import Standard

REMEMBERED = 4096  # programs with their results
_NO_LOG = new_log(0)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Situation:
    """Where a program begins.

    Attributes
    ----------
    digest : the same for equal settled states alone
    rows : the row of each number in the settled states
    function : value of the register that chooses an activation function
    """

    settled: Settled
    digest: bytes
    rows: tuple[int, ...]
    function: int


@dataclass(kw_only=True, eq=False)
class _Played:
    """What a program did when started in some situation.

    Attributes
    ----------
    cycles : of each part
    rows : of the settled states: from 0 on rows of the program, from `FOREIGN` on numbers of rows open before it
    """

    cycles: tuple[int, ...]
    settled: Settled
    digest: bytes
    rows: tuple[int, ...]
    function: int
    times: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Running:
    """States in the middle of a program; their time counts from its start."""

    channels: Channels
    host: Ints

    @property
    def cycle(self) -> int:
        return int(self.host[Host.CLOCK]) - 1

    @property
    def classes(self) -> Channels:
        return map_arrays(lambda array: array[: self.host[Host.CLASSES]], self.channels)


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
        self._tables = compile_aim(standard, QUEUE_DEPTH)
        self._settlement = Settlement(standard, self._tables)
        self._now = _Situation(settled=self._settlement.at_start(channels), digest=b"", rows=(), function=0)
        self._known: OrderedDict[Hashable, _Played] = OrderedDict()
        self._running: _Running | None = None  # between `play_on` and the next program
        self._began = 0
        self._totals = np.repeat(counters(new_ledger(1, len(standard.commands)), now=0), channels, axis=0)

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
        self._settle()
        now = self._now
        within = tuple(row - base_row if base_row <= row < base_row + rows else -1 for row in now.rows)
        whole = (key, now.digest, now.function, within)
        found = self._known.get(whole)
        if found is None:
            found = self._play(parts, now, within)
        else:
            self._known.move_to_end(whole)
            self.repeated += 1
        found.times += 1
        self._keep(whole, found)
        self.cycle += sum(found.cycles)
        after = tuple(base_row + row if row < FOREIGN else now.rows[row - FOREIGN] for row in found.rows)
        self._now = _Situation(settled=found.settled, digest=found.digest, rows=after, function=found.function)
        return found.cycles

    def play_on(self, part: Ints) -> None:
        """Play instructions that are not worth remembering; a barrier must be the last before the next `play`."""
        if self._running is None:
            self._running, self._began = self._resume(self._now.rows), self.cycle
        self._advance(self._running, part)
        self.cycle = self._began + self._running.cycle

    def results(self) -> list[ChannelResult]:
        """What each channel did so far."""
        self._settle()
        for played in self._known.values():
            self._tally(played)
        names = list(self.standard.commands)
        return [channel_result(self._totals[channel], names) for channel in range(self.channels)]

    def _play(self, parts: Iterable[Ints], now: _Situation, within: tuple[int, ...]) -> _Played:
        named = tuple(row if row >= 0 else FOREIGN + number for number, row in enumerate(within))
        running = self._resume(named)
        ends = [0]
        for part in parts:
            self._advance(running, part)
            ends.append(running.cycle)
        self.played += 1
        settled = self._settlement.settle(running.classes, running.cycle)
        return _Played(
            cycles=tuple(end - begin for begin, end in pairwise(ends)),
            settled=settled,
            digest=self._digest(settled),
            rows=settled.rows,
            function=int(running.host[Host.FUNCTION]),
        )

    def _settle(self) -> None:
        """End what `play_on` began."""
        if self._running is None:
            return
        running, self._running = self._running, None
        settled = self._settlement.settle(running.classes, running.cycle)
        self._count(settled, 1)
        self._now = _Situation(
            settled=settled,
            digest=self._digest(settled),
            rows=settled.rows,
            function=int(running.host[Host.FUNCTION]),
        )

    def _digest(self, settled: Settled) -> bytes:
        return settled.digest() if self._remember else b""

    def _resume(self, rows: tuple[int, ...]) -> _Running:
        """The states from which play goes on, with a row for each number."""
        channels = self._settlement.resume(self._now.settled, rows, self.channels)
        return _Running(channels=channels, host=new_host(classes=len(self._now.settled), function=self._now.function))

    def _advance(self, running: _Running, part: Ints) -> None:
        self.instructions += len(part)
        PLAY(running.channels, self._tables, running.host, _NO_LOG, part, 0)

    def _keep(self, whole: Hashable, found: _Played) -> None:
        """Remember what a program did, and forget the one that was not met for longest if there are too many."""
        if not self._remember:
            self._tally(found)
            return
        self._known[whole] = found
        if len(self._known) > self._remember:
            self._tally(self._known.popitem(last=False)[1])

    def _tally(self, played: _Played) -> None:
        self._count(played.settled, played.times)
        played.times = 0

    def _count(self, settled: Settled, times: int) -> None:
        for mask, counts in settled.counted:
            self._totals[list(members_of(mask, self.channels))] += times * counts

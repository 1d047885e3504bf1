"""Channels of HBM that do the same at the same time: bursts one after the other, one on its way, by tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from hwsim.dram.random_access.burst_channel import BurstChannel
from hwsim.dram.random_access.bursts import BurstTimes, burst_times
from hwsim.engine.burst_dma import BurstDma
from hwsim.engine.clock import TimeBase
from hwsim.machines.swat.companion.streams import Bursts, Share


@dataclass(eq=False)
class _Table:
    """The times of one burst as lists, which are read faster than arrays, and how often each kind came."""

    times: BurstTimes
    cycles: list[int] = field(init=False)
    late: list[int] = field(init=False)
    kind: list[int] = field(init=False)
    counts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.cycles, self.late, self.kind = (
            array.tolist() for array in (self.times.cycles, self.times.late, self.times.kind)
        )
        self.counts = [0] * len(self.times.kinds)

    @property
    def usual(self) -> Mapping[str, int]:
        """Commands where no refresh is near."""
        return self.times.commands(self.times.quiet)


class BurstChain:
    """A group of channels, of which one is played; it is equal to a `BurstDma` to the tick.

    All begin in the same state, and in each call a channel moves what its share says or less. The one with the largest
    share is played, since what all wait for is the last of them.

    Attributes
    ----------
    free : tick of the last response, from which on the next burst may be requested
    bursts, bytes : of all channels, by direction: [reads, writes]
    """

    def __init__(
        self, channels: int, channel: BurstChannel, base: TimeBase, *, request_ns: float, response_ns: float
    ) -> None:
        engine = BurstDma(channel, base, request_ns=request_ns, response_ns=response_ns)
        self.channels = channels
        self.channel = channel
        self.free = 0
        self.bursts = [0, 0]
        self.bytes = [0, 0]
        self._engine = engine
        self._refreshed = 0
        self._tables: dict[tuple[bool, int, int], _Table] = {}
        self._lists: dict[tuple[Bursts, bool], list[_Table]] = {}
        self._unequal: Counter[tuple[Bursts, bool]] = Counter()  # played for channels that moved something else

    def move(self, tick: int, shares: tuple[Share, ...], *, write: bool) -> int:
        """Request all bursts of some shares, the first of a channel at a tick or when the last response is there.

        Returns
        -------
        The tick of the last response; `tick` if nothing moves.
        """
        if not shares:
            return tick
        most = shares[0].bursts
        self._count(shares, write)
        return self._play(max(tick, self.free), self._of(most, write))

    def commands(self) -> Mapping[str, int]:
        """Commands of all channels by name, without refreshes.

        Of a channel whose share was smaller than that of the one that was played, as where no refresh is near.
        """
        total: Counter[str] = Counter()
        for table in self._tables.values():
            for kind, count in zip(table.times.kinds, table.counts, strict=True):
                for name, each in kind.items():
                    total[name] += self.channels * count * each
        for (bursts, write), count in self._unequal.items():
            for table in self._of(bursts, write):
                for name, each in table.usual.items():
                    total[name] += count * each
        return {name: count for name, count in total.items() if count}

    def refreshes_by(self, tick: int) -> int:
        """Refreshes of all channels that have fallen due before a tick."""
        return self.channels * self._engine.refreshes_by(tick)

    def _count(self, shares: tuple[Share, ...], write: bool) -> None:
        for channels, bursts in shares:
            self.bursts[write] += channels * len(bursts.items)
            self.bytes[write] += channels * bursts.size_bytes
        if shares[0].channels != self.channels:
            self._unequal[shares[0].bursts, write] -= self.channels - shares[0].channels
            for channels, bursts in shares[1:]:
                self._unequal[bursts, write] += channels

    def _of(self, bursts: Bursts, write: bool) -> list[_Table]:
        found = self._lists.get((bursts, write))
        if found is None:
            found = [self._table(write, burst.offset, burst.size) for burst in bursts.items]
            self._lists[bursts, write] = found
        return found

    def _table(self, write: bool, offset: int, size: int) -> _Table:
        key = (write, offset, size)
        if key not in self._tables:
            self._tables[key] = _Table(burst_times(self.channel, write=write, offset=offset, size=size))
        return self._tables[key]

    def _play(self, tick: int, tables: list[_Table]) -> int:
        """The rule of `bursts.py` and `BurstDma`, burst after burst."""
        engine, channel = self._engine, self.channel
        request, back, memory, fabric = engine.request, engine.back, engine.memory_period, engine.fabric_period
        period, quiet, refreshed = channel.period, channel.quiet, self._refreshed
        for table in tables:
            arrival = -(-(tick + request) // memory)
            at = arrival if arrival > quiet else quiet
            begin = at - at % period
            index = at - begin
            since = at - refreshed
            if since < quiet and refreshed > begin:
                index = since
            done = arrival + table.cycles[index]
            if table.late[index]:
                refreshed = begin + period + table.late[index]
            table.counts[table.kind[index]] += 1
            tick = -(-(done * memory + back) // fabric) * fabric
        self._refreshed, self.free = refreshed, tick
        return tick

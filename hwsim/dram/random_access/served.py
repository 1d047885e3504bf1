"""What a memory did: accesses, commands and latencies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from hwsim.dram.device.standard import Standard
from hwsim.dram.device.tables import Ints
from hwsim.dram.random_access.fields import Bank, Channel, Host, Rank
from hwsim.dram.random_access.state import Memory


class Latencies:
    """Latencies that are longer than the kernel's histograms, by their row there."""

    def __init__(self) -> None:
        self.long: list[Counter[int]] = [Counter() for _ in range(4)]

    def copy(self) -> Latencies:
        other = Latencies()
        other.long = [Counter(counts) for counts in self.long]
        return other

    def add(self, rows: Ints) -> None:
        for kind, cycles in rows.tolist():
            self.long[kind][cycles] += 1

    def of(self, kind: int, histogram: Ints) -> LatencyCounts:
        found = np.flatnonzero(histogram)
        long = sorted(self.long[kind].items())
        return LatencyCounts(
            cycles=np.concatenate([found, np.array([cycles for cycles, _ in long], dtype=np.int64)]),
            counts=np.concatenate([histogram[found], np.array([count for _, count in long], dtype=np.int64)]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class LatencyCounts:
    """How many accesses had each latency.

    Attributes
    ----------
    cycles, counts : (n,) latencies in ascending order, and the number of accesses of each
    """

    cycles: Ints
    counts: Ints

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        return float((self.cycles * self.counts).sum() / self.total)

    def percentile(self, percent: int) -> int:
        """By the nearest rank."""
        rank = -(-percent * self.total // 100)
        return int(self.cycles[np.searchsorted(np.cumsum(self.counts), rank)])


@dataclass(frozen=True, kw_only=True, eq=False)
class Served:
    """What a memory did so far.

    Attributes
    ----------
    hits, misses, conflicts : accesses to a row that was open, to a closed bank, or to a bank that was precharged for
        them
    forwarded, merged : reads answered by a waiting write; writes that replaced a waiting one
    bank_accesses, bank_activates : (channels, banks)
    until : the present cycle, or the end of the last access or of a row that is being closed, if that is later
    open_cycles : (channels, ranks) cycles with an open row until then
    open_bank_cycles : (channels, ranks) the same, summed over the banks
    read_latencies, write_latencies : from the cycle in which a request was taken to its completion
    read_responses, write_responses : from its arrival, for requests that have one
    """

    cycles: int
    commands: dict[str, int]
    channel_commands: list[dict[str, int]]
    rank_commands: Ints
    hits: int
    misses: int
    conflicts: int
    forwarded: int
    merged: int
    bank_accesses: Ints
    bank_activates: Ints
    until: int
    open_cycles: Ints
    open_bank_cycles: Ints
    read_latencies: LatencyCounts
    write_latencies: LatencyCounts
    read_responses: LatencyCounts
    write_responses: LatencyCounts

    @property
    def accesses(self) -> int:
        return self.hits + self.misses + self.conflicts

    @property
    def activates(self) -> int:
        return int(self.bank_activates.sum())

    @property
    def row_hit_rate(self) -> float:
        """The share of accesses that needed no activate: a row that was opened twice for one counts twice."""
        return max(0.0, 1 - self.activates / self.accesses) if self.accesses else 0.0


def served(standard: Standard, memory: Memory, latencies: Latencies) -> Served:
    """Read the counters of a memory."""
    names = list(standard.commands)
    each = memory.counts.sum(axis=1)
    hits, misses, conflicts = memory.channels[:, Channel.KINDS : Channel.KINDS + 3].sum(axis=0).tolist()
    still_open, ends = memory.ranks[:, :, Rank.OPEN_BANKS], memory.ranks[:, :, Rank.OPEN_UNTIL]
    until = int(max(memory.host[Host.CYCLE], memory.host[Host.FINISH], ends.max()))
    by_kind = [latencies.of(kind, memory.latencies[kind]) for kind in range(4)]
    return Served(
        cycles=int(memory.host[Host.FINISH]),
        commands={name: n for name, n in zip(names, each.sum(axis=0).tolist(), strict=True) if n},
        channel_commands=[{name: n for name, n in zip(names, row, strict=True) if n} for row in each.tolist()],
        rank_commands=memory.counts.copy(),
        hits=hits,
        misses=misses,
        conflicts=conflicts,
        forwarded=int(memory.host[Host.FORWARDED]),
        merged=int(memory.host[Host.MERGED]),
        bank_accesses=memory.banks[:, :, Bank.ACCESSES].copy(),
        bank_activates=memory.banks[:, :, Bank.ACTIVATES].copy(),
        until=until,
        open_cycles=memory.ranks[:, :, Rank.OPEN_CYCLES]
        + np.where(still_open > 0, until, ends)
        - memory.ranks[:, :, Rank.OPEN_SINCE],
        open_bank_cycles=memory.ranks[:, :, Rank.BANK_CYCLES] + still_open * until,
        read_latencies=by_kind[0],
        write_latencies=by_kind[1],
        read_responses=by_kind[2],
        write_responses=by_kind[3],
    )

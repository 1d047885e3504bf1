"""Rows through SWAT's stages as loops over plain lists, written from the description of the machine.

It shares no code with `rows/` or `events/` but a head's static arrays. A burst's time is found when a row needs it,
from when rows before it were taken. K and V each have an engine here, and partial rows move between two channels that
change places.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from hwsim.engine.burst_dma import BurstDma
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.rows.bursts import Bursts
from hwsim.machines.swat.rows.head import Head
from hwsim.machines.swat.rows.player import Heads, Played
from hwsim.machines.swat.stages import interval_of, stages_of

Sort = tuple[int, int]  # offset and size
ALONE = 500  # cycles of the memory from a refresh to a burst that none is near


@dataclass(eq=False)
class Feed:
    """A stream of rows from memory into a buffer.

    Attributes
    ----------
    bursts : offset and size of each
    ends : rows of all up to and including each
    burst_of : of each row
    room : rows that the buffer holds
    begins : tick in which the first burst may be asked for
    taken : tick in which each row was taken, so far
    arrived : tick in which each burst was there, so far
    """

    dma: BurstDma
    room: int
    bursts: list[Sort] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    burst_of: list[int] = field(default_factory=list)
    begins: int = 0
    taken: list[int] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)

    def extend(self, part: Bursts) -> None:
        self.burst_of += [len(self.bursts) + burst for burst in part.burst_of.tolist()]
        for kind, rows in zip(part.kind.tolist(), rows_of(part)):
            self.add(*part.kinds[kind], rows)

    def add(self, offset: int, size: int, rows: int) -> None:
        self.bursts.append((offset, size))
        self.ends.append(rows + (self.ends[-1] if self.ends else 0))

    def fill(self) -> list[Sort]:
        """Have the buffer full; the bursts that are in it."""
        self.arrived = [self.begins for end in self.ends if end <= self.room]
        return self.bursts[: len(self.arrived)]

    def there(self, row: int) -> int:
        """The tick in which a row is there."""
        while len(self.arrived) <= self.burst_of[row]:
            offset, size = self.bursts[len(self.arrived)]
            rows = self.ends[len(self.arrived)]
            asked = self.begins if rows <= self.room else self.taken[rows - self.room - 1]
            before = self.arrived[-1] if self.arrived else self.begins
            self.arrived.append(self.dma.transfer(max(asked, before), write=False, offset=offset, size=size))
        return self.arrived[self.burst_of[row]]


def rows_of(bursts: Bursts) -> list[int]:
    return [end - begin for begin, end in pairwise([0, *bursts.ends.tolist()])]


class NaivePlayer:
    """A pipeline, as `RowPlayer`."""

    def __init__(self, design: Design) -> None:
        self.design, self.spec = design, design.spec
        self.stages = stages_of(design)
        self.names = [stage.name for stage in self.stages]
        self.tick = self.spec.time_base.clocks["fabric"].period_ticks
        self.dma = {name: self._dma() for name in ("q", "k", "v", "carry", "z")}
        self.busy_until = 0

    def play(self, heads: Heads, start: int, *, keep: int = 0) -> Played:
        self.heads = [heads.each] * (heads.count - 1) + [heads.last]
        self.now, self.counts, self.busy = start, Counter[str](), dict.fromkeys(self.names, 0)
        self.times: list[dict[str, tuple[int, int]]] = []
        self.written = [start, start]  # tick in which each burst of results was
        self.others = sum(len(part.kind) for head in self.heads for part in (head.carried, head.results))
        self.free = self.busy_until
        before = sum((dma.commands for dma in self.dma.values()), Counter[str]())
        moved = {name: dma.bytes[0] for name, dma in self.dma.items()}
        wrote = sum(dma.bytes[1] for dma in self.dma.values())
        layout = self.design.layout
        self.queries = Feed(self.dma["q"], layout.query_room, begins=start)
        self.keys = Feed(self.dma["k"], layout.key_room, begins=start)
        self.values = Feed(self.dma["v"], layout.key_room, begins=start)
        filled = self._feed()
        for head in self.heads:
            for number in range(len(head.first) - 1):
                self._pass(head, number)
            self._load_before(int(head.before[-1]))
        self.busy_until = self.free
        commands = sum((dma.commands for dma in self.dma.values()), Counter[str]())
        commands.subtract(before)
        for bursts in filled.values():
            commands.update(self._alone(bursts))
        read = {name: self.dma[name].bytes[0] - moved[name] for name in ("q", "k", "v")}
        carried = sum(self.dma[name].bytes[0] - moved[name] for name in ("carry", "z"))
        for name, bursts in filled.items():
            read[name] += sum(size for _, size in bursts)
        rows = self.times[:keep]
        log = np.array([[each[name] for name in self.names] for each in rows], dtype=np.int64)
        return Played(
            begun=start,
            ended=self.now,
            written=max(self.now, self.free),
            busy=self.busy,
            memory_wait=self.counts["memory"],
            room_wait=self.counts["room"],
            prologue=self.counts["prologue"],
            drain=self.counts["drain"],
            bursts=sum(len(feed.bursts) for feed in (self.queries, self.keys)) + self.others,
            commands=+commands,
            read_bytes={**read, "carry": carried},
            written_bytes=sum(dma.bytes[1] for dma in self.dma.values()) - wrote,
            log=log.reshape(len(rows), len(self.names), 2),
        )

    def _dma(self) -> BurstDma:
        hbm = self.spec.hbm
        return BurstDma(self.spec.channel, self.spec.time_base, request_ns=hbm.request_ns, response_ns=hbm.response_ns)

    def _feed(self) -> dict[str, list[Sort]]:
        for head in self.heads:
            self.queries.extend(head.queries)
            self.keys.extend(head.keys)
            self.values.extend(head.keys)
        if self.spec.prologue == "counted":
            return {}
        return {"q": self.queries.fill(), "k": self.keys.fill(), "v": self.values.fill()}

    def _alone(self, bursts: list[Sort]) -> Counter[str]:
        """Commands of bursts that no refresh is near."""
        commands = Counter[str]()
        for offset, size in bursts:
            dma = self._dma()
            dma.transfer(ALONE * dma.memory_period, write=False, offset=offset, size=size)
            commands += dma.commands
        return commands

    def _pass(self, head: Head, number: int) -> None:
        passes = len(head.first) - 1
        # the last pass writes to z; from pass to pass the two change places
        into, out_of = ("z", "carry") if (passes - 1 - number) % 2 == 0 else ("carry", "z")
        self.carried = Feed(self.dma[out_of], self.design.layout.carried_room, begins=max(self.now, self.free))
        self._feed_carried(head, number)
        self._load_before(int(head.before[number]))
        rows = range(*head.first[number : number + 2].tolist())
        go = self._lockstep if self.spec.mode == "lockstep" else self._elastic
        self.counts["drain"] -= go(head, rows, into)
        self.counts["drain"] += self.now

    def _load_before(self, units: int) -> None:
        """Keys that are loaded between passes."""
        if units:
            begun = self.now
            self.now = self._load(units, begun) + self._latency()
            self.counts["prologue"] += self.now - begun
            self.busy["LOAD"] += self._latency()

    def _feed_carried(self, head: Head, number: int) -> None:
        """The bursts of partial rows of a pass."""
        begin, end = head.carried_first[number : number + 2].tolist()
        counts = rows_of(head.carried)
        for place in range(begin, end):
            self.carried.add(*head.carried.kinds[head.carried.kind[place]], counts[place])
            self.carried.burst_of += [place - begin] * counts[place]

    def _lockstep(self, head: Head, rows: range, into: str) -> int:
        """All rows advance by a stage when the slowest stage is done."""
        loaded = self.now
        begin = len(self.times)
        self.times += [{} for _ in rows]
        for step in range(len(rows) + self.stages[-1].depth):
            ends = [self.now + interval_of(self.stages) * self.tick]
            for stage in self.stages:
                if 0 <= step - stage.depth < len(rows):
                    row = step - stage.depth
                    done = self._stage(stage.name, head, rows[row], self.now, into)
                    self.times[begin + row][stage.name] = (self.now, done)
                    ends.append(done)
                    loaded = done if stage.name == "LOAD" else loaded
            self.now = max(ends)
        return loaded

    def _elastic(self, head: Head, rows: range, into: str) -> int:
        """A stage begins when it is free, the row is there, and those behind it are done with the row two before."""
        begun, first = self.now, len(self.times)
        loaded = begun
        for row in rows:
            own: dict[str, tuple[int, int]] = {}
            for stage in self.stages:
                waits = [begun, *(own[name][1] for name in stage.after)]
                if row > rows[0]:
                    waits.append(self.times[-1][stage.name][1])
                if len(self.times) - first > 1:
                    waits += [self.times[-2][other.name][1] for other in self.stages if stage.name in other.after]
                own[stage.name] = (max(waits), self._stage(stage.name, head, row, max(waits), into))
            self.times.append(own)
            loaded, self.now = own["LOAD"][1], own["DIV&OUT"][1]
        return loaded

    def _stage(self, name: str, head: Head, row: int, now: int, into: str) -> int:
        if name == "LOAD":
            return self._load_row(head, row, now)
        if name == "DIV&OUT":
            return self._leave(head, row, now, into)
        cycles = next(stage.cycles for stage in self.stages if stage.name == name)
        self.busy[name] += cycles * self.tick
        return now + cycles * self.tick

    def _latency(self) -> int:
        return self.design.scheduler.latency * self.tick

    def _row_ticks(self, elements: int) -> int:
        return self.design.scheduler.interval * elements * self.tick

    def _load_row(self, head: Head, row: int, now: int) -> int:
        comes_in = head.carries[row] >= 0
        begin = max(now, self.queries.there(len(self.queries.taken)))
        if comes_in:
            begin = max(begin, self.carried.there(len(self.carried.taken)))
        self.counts["memory"] += begin - now
        before = self.busy["LOAD"]
        ends = self._load(int(head.units[row]), begin)
        done = max(ends, begin + self._row_ticks(self.design.head_dim + (self.spec.extra if comes_in else 0)))
        self.queries.taken.append(done)
        if comes_in:
            self.carried.taken.append(done)
        waited = ends - begin - (self.busy["LOAD"] - before)
        self.busy["LOAD"] = before + done - begin - waited + self._latency()
        return done + self._latency()

    def _load(self, units: int, now: int) -> int:
        while units > 0:
            beside, first = min(units, self.spec.loaders), len(self.keys.taken)
            there = [feed.there(row) for feed in (self.keys, self.values) for row in range(first, first + beside)]
            begin = max(now, *there)
            self.counts["memory"] += begin - now
            now = begin + self._row_ticks(self.design.head_dim)
            self.busy["LOAD"] += now - begin
            self.keys.taken += [now] * beside
            self.values.taken += [now] * beside
            units -= beside
        return now

    def _leave(self, head: Head, row: int, now: int, into: str) -> int:
        begin = max(now, self.written[-2])  # of two banks the one that was filled first
        self.counts["room"] += begin - now
        taken = self.design.divider.cycles("divided" if head.divided[row] else "partial") * self.tick
        self.busy["DIV&OUT"] += taken
        burst = head.results.burst_of[row]
        if row + 1 == len(head.results.burst_of) or head.results.burst_of[row + 1] != burst:
            offset, size = head.results.kinds[head.results.kind[burst]]
            at = max(begin + taken, self.free)
            self.free = self.dma[into].transfer(at, write=True, offset=offset, size=size)
            self.written.append(self.free)
        return begin + taken

"""A pass through the companion event by event: every channel with an engine of its own, every row looked up.

Slow and obvious. It knows a pass, its streams' sizes and the burst's times, and none of what the player makes of them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import simpy

from hwsim.dram.random_access.burst_channel import BurstChannel
from hwsim.engine.burst_dma import BurstDma
from hwsim.engine.clock import TimeBase
from hwsim.machines.swat.companion.streams import Rows
from hwsim.machines.swat.companion.work import Pass

Steps = Generator[simpy.Event, Any, None]


def bursts_of(stream: Rows, rows: range, mine: int, channels: int, channel: BurstChannel) -> Iterator[tuple[int, int]]:
    """Offset and size of the bursts of one channel, from the column accesses of each row that lies there."""
    column, block = channel.standard.column_bytes, channel.block_bytes
    stride = -(-stream.stride_bytes // column)
    accesses: list[int] = []
    for row in rows:
        number = stream.index(row)
        if number % channels != mine:
            continue
        first = number // channels * stride * column + stream.first_byte
        accesses += range(first // column, -(-(first + stream.row_bytes) // column))
    begin = 0
    for i in range(1, len(accesses) + 1):
        follows = i < len(accesses) and accesses[i] == accesses[i - 1] + 1 and accesses[i] * column % block
        if not follows:
            yield accesses[begin] * column % block, (i - begin) * column
            begin = i


@dataclass
class Slow:
    """The reference of one pass, begun at a tick, with weights that are there at another."""

    work: Pass
    channels: int
    channel: BurstChannel
    base: TimeBase
    at: int
    weights: int
    way_ns: float = 50
    computed: list[int] = field(default_factory=list)
    engines: list[BurstDma] = field(default_factory=list)

    def play(self) -> int:
        """The tick at which everything is done."""
        self.env = simpy.Environment(self.at)
        tiles = range(self.work.tiles)
        self.read = [[self.env.event() for _ in range(self.channels)] for _ in tiles]
        self.written = [[self.env.event() for _ in range(self.channels)] for _ in tiles]
        self.done = [self.env.event() for _ in tiles]
        for mine in range(self.channels):
            engine = BurstDma(self.channel, self.base, request_ns=self.way_ns, response_ns=self.way_ns)
            self.engines.append(engine)
            self.env.process(self._engine(engine, mine))
        self.env.process(self._unit())
        self.env.run()
        return int(self.env.now)

    def _unit(self) -> Steps:
        yield self.env.timeout(max(0, self.weights - self.at))
        for tile, done in enumerate(self.done):
            yield self.env.all_of(self.read[tile])
            if tile >= 2:
                yield self.env.all_of(self.written[tile - 2])
            cycles = self.work.last_cycles if tile == len(self.done) - 1 else self.work.cycles
            yield self.env.timeout(self.base.clocks["fabric"].ticks(cycles))
            self.computed.append(int(self.env.now))
            done.succeed()

    def _engine(self, engine: BurstDma, mine: int) -> Steps:
        yield from self._tile(engine, mine, 0, write=False)
        yield from self._tile(engine, mine, 1, write=False)
        for tile, done in enumerate(self.done):
            yield done
            yield from self._tile(engine, mine, tile, write=True)
            yield from self._tile(engine, mine, tile + 2, write=False)

    def _tile(self, engine: BurstDma, mine: int, tile: int, *, write: bool) -> Steps:
        if tile >= self.work.tiles:
            return
        first = tile * self.work.tile_rows
        rows = range(first, min(first + self.work.tile_rows, self.work.rows))
        for stream in (self.work.write,) if write else self.work.reads:
            assert isinstance(stream, Rows)
            for offset, size in bursts_of(stream, rows, mine, self.channels, self.channel):
                response = engine.transfer(int(self.env.now), write=write, offset=offset, size=size)
                yield self.env.timeout(response - self.env.now)
        (self.written if write else self.read)[tile][mine].succeed()


def weights_there(size: int, channels: int, channel: BurstChannel, base: TimeBase, at: int, way_ns: float = 50) -> int:
    """When weights of a size have come that lie on some channels, a column access on each in turn."""
    accesses = -(-size // channel.standard.column_bytes)
    ends = [at]
    for mine in range(channels):
        engine = BurstDma(channel, base, request_ns=way_ns, response_ns=way_ns)
        left, tick = len(range(mine, accesses, channels)) * channel.standard.column_bytes, at
        while left:
            tick = engine.transfer(tick, write=False, offset=0, size=min(left, channel.block_bytes))
            left -= min(left, channel.block_bytes)
        ends.append(tick)
    return max(ends)

"""Properties of buffers between two streams."""

from __future__ import annotations

from typing import Any

from amaranth import Array, Module, Signal
from amaranth.hdl import Assert, Assume
from amaranth.lib import wiring


class BufferProperties(wiring.Component):
    """A buffer with free inputs, and a simple queue as its model.

    Asserted: it never takes more than its capacity; it offers the oldest beat that it holds, so none is lost, doubled,
    changed or reordered; an offer stays until taken; a beat is offered after `latency` cycles.
    """

    def __init__(self, buffer: Any, capacity: int, latency: int) -> None:
        self.buffer = buffer
        self.capacity = capacity
        self.latency = latency
        super().__init__(buffer.signature)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.buffer = buffer = self.buffer
        wiring.connect(m, wiring.flipped(self.x), buffer.x)
        wiring.connect(m, buffer.y, wiring.flipped(self.y))
        x, y = buffer.x, buffer.y

        level, waited = Signal(range(self.capacity + 2)), Signal(range(self.latency + 2))
        queue = Array(Signal(x.payload.shape(), name=f"queue_{i}") for i in range(self.capacity + 1))
        came, went = x.valid & x.ready, y.valid & y.ready
        m.d.sync += level.eq(level + came - went)
        with m.If(went):
            m.d.sync += [here.eq(after) for here, after in zip(list(queue), list(queue)[1:])]
        with m.If(came):
            m.d.sync += queue[level - went].eq(x.payload)
        m.d.sync += waited.eq(0)
        with m.If((level > 0) & ~y.valid):
            m.d.sync += waited.eq(waited + 1)

        started, offered, payload = Signal(), Signal(), Signal.like(y.payload)
        m.d.sync += [started.eq(1), offered.eq(y.valid & ~y.ready), payload.eq(y.payload)]
        m.d.comb += [
            Assert(level <= self.capacity),
            Assert((level < self.capacity) | ~x.ready | went),
            Assert(~y.valid | ((level > 0) & (y.payload == queue[0]))),
            Assert(~offered | (y.valid & (y.payload == payload))),
            Assert(waited < self.latency),
            Assume(started | ~x.valid),
        ]
        return m

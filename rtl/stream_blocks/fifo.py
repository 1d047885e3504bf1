"""Queues of beats."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Shape, ShapeLike
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out


class StreamFifo(wiring.Component):
    """Amaranth's buffered FIFO between two streams: `depth` beats, a latency of two cycles when empty."""

    LATENCY = 2

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self.shape = shape
        self.depth = depth
        super().__init__({"x": In(stream.Signature(shape)), "y": Out(stream.Signature(shape))})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=Shape.cast(self.shape).width, depth=self.depth)
        _connect(m, queue, self)
        return m


class ShortFifo(wiring.Component):
    """Amaranth's FIFO with asynchronous read, in registers or look-up tables: for a few beats, a latency of one."""

    LATENCY = 1

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self.shape = shape
        self.depth = depth
        super().__init__({"x": In(stream.Signature(shape)), "y": Out(stream.Signature(shape))})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFO(width=Shape.cast(self.shape).width, depth=self.depth)
        _connect(m, queue, self)
        return m


def _connect(m: Module, queue: fifo.FIFOInterface, streams: Any) -> None:
    """The queue between streams `x` and `y`."""
    m.d.comb += [
        queue.w_data.eq(streams.x.payload),
        queue.w_en.eq(streams.x.valid),
        streams.x.ready.eq(queue.w_rdy),
        streams.y.payload.eq(queue.r_data),
        streams.y.valid.eq(queue.r_rdy),
        queue.r_en.eq(streams.y.ready),
    ]

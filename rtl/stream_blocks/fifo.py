"""A queue of beats in a memory."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Shape, ShapeLike
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out


class StreamFifo(wiring.Component):
    """Amaranth's buffered FIFO between two streams: `depth` beats, two cycles from end to end of an empty queue."""

    LATENCY = 2

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self.shape = shape
        self.depth = depth
        super().__init__({"x": In(stream.Signature(shape)), "y": Out(stream.Signature(shape))})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=Shape.cast(self.shape).width, depth=self.depth)
        m.d.comb += [
            queue.w_data.eq(self.x.payload),
            queue.w_en.eq(self.x.valid),
            self.x.ready.eq(queue.w_rdy),
            self.y.payload.eq(queue.r_data),
            self.y.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.y.ready),
        ]
        return m

"""A buffer of two beats that registers valid, payload and ready: no combinational path runs through it."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Signal, ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class SkidBuffer(wiring.Component):
    """Passes a beat a cycle with a latency of one; use it to cut a long ready path."""

    CAPACITY = 2
    LATENCY = 1

    def __init__(self, shape: ValueLike) -> None:
        self.shape = shape
        super().__init__({"x": In(stream.Signature(shape)), "y": Out(stream.Signature(shape))})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        skidded = Signal(self.shape, reset_less=True)
        full = Signal()  # a beat waits in `skidded` after the one at the output
        m.d.comb += self.x.ready.eq(~full)
        with m.If(self.y.ready | ~self.y.valid):
            m.d.sync += [
                self.y.valid.eq(full | self.x.valid),
                full.eq(0),
            ]
            with m.If(full):
                m.d.sync += self.y.payload.eq(skidded)
            with m.Else():
                m.d.sync += self.y.payload.eq(self.x.payload)
        with m.Elif(self.x.valid & self.x.ready):
            m.d.sync += [full.eq(1), skidded.eq(self.x.payload)]
        return m

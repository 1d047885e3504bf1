"""A block with a fault in its output stream, to prove that the harness sees it."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, connect, flipped

from hwsim.rtl.contract import Contract
from hwsim.rtl.streams import port_members

FAULTS = ("none", "bit", "cycle", "drop", "double")


class Saboteur(wiring.Component):
    """Forwards the streams of a block; `fault` chooses what happens to the second beat (`cycle`: the first) of `y`."""

    def __init__(self, contract: Contract, block: Any) -> None:
        self.block = block
        self.inputs = [port.name for port in contract.ports if port.direction == "in"]
        super().__init__(port_members(contract) | {"fault": In(unsigned(3))})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.block = block = self.block
        for name in self.inputs:
            connect(m, flipped(getattr(self, name)), getattr(block, name))
        given, sink = block.y, self.y
        count, repeated = Signal(2), Signal()  # beats that left, up to 2; the second beat left once already
        second = (count == 1) & given.valid
        m.d.comb += [
            sink.valid.eq(given.valid),
            sink.payload.eq(given.payload),
            given.ready.eq(sink.ready),
        ]
        with m.If(given.valid & given.ready & (count < 2)):
            m.d.sync += count.eq(count + 1)
        waited = Signal()
        with m.Switch(self.fault):
            with m.Case(FAULTS.index("bit")), m.If(second):
                m.d.comb += sink.payload.as_value()[0].eq(~given.payload.as_value()[0])
            with m.Case(FAULTS.index("cycle")), m.If(~waited):
                m.d.comb += [sink.valid.eq(0), given.ready.eq(0)]
                m.d.sync += waited.eq(given.valid)
            with m.Case(FAULTS.index("drop")), m.If(second):
                m.d.comb += [sink.valid.eq(0), given.ready.eq(1)]
            with m.Case(FAULTS.index("double")), m.If(second & ~repeated):
                m.d.comb += given.ready.eq(0)
                m.d.sync += repeated.eq(sink.ready)
        return m

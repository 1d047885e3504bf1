"""The fill unit in RTL."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring

from hwsim.rtl.fill.contract import FillContract
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import port_members


class Fill(wiring.Component):
    """A counter of the beats that are left, and the number that they carry."""

    def __init__(self, contract: FillContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m, command = self.contract, Module(), self.command.payload
        left, value = Signal.like(command.beats), Signal(c.number_bits, reset_less=True)
        pipe = Pipeline(m, advances(self.y) if c.output_stages else self.y.ready)
        m.d.comb += self.command.ready.eq(left == 0)
        with m.If(left == 0):
            m.d.sync += value.eq(command.value)
            with m.If(self.command.valid):
                m.d.sync += left.eq(command.beats)
        with m.Elif(pipe.advance):
            m.d.sync += left.eq(left - 1)
        out = pipe.stages(c.output_stages, valid=left != 0, values=Cat([value] * c.lanes))
        m.d.comb += [self.y.valid.eq(out.valid), self.y.payload.values.as_value().eq(out.values)]
        return m

"""The residual add in RTL."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Signal
from amaranth.lib import data, wiring

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.residual_add.contract import ResidualAddContract
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import port_members, shape_of


class ResidualAdd(wiring.Component):
    """Joins two beats a cycle."""

    def __init__(self, contract: ResidualAddContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m, joined = self.contract, Module(), Signal()
        pipe = Pipeline(m, advances(self.y))
        m.d.comb += [
            joined.eq(pipe.advance & self.x.valid & self.branch.valid),
            self.x.ready.eq(joined),
            self.branch.ready.eq(joined),
        ]
        sums = Signal(data.ArrayLayout(shape_of(c.activation), c.lanes))
        for i in range(c.lanes):
            branch = recode(self.branch.payload.values[i], c.branch.fraction, c.activation)
            m.d.comb += sums[i].eq(recode(self.x.payload.values[i] + branch, c.activation.fraction, c.activation))
        out = pipe.stages(c.latency, valid=joined, values=sums)
        pipe.require_depth(c.block, c.latency)
        m.d.comb += [self.y.valid.eq(out.valid), self.y.payload.values.eq(out.values)]
        return m

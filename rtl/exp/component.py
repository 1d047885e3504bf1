"""The exponential unit in RTL."""

from __future__ import annotations

from typing import Any

from amaranth import Const, Module, Mux
from amaranth.lib import wiring

from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.exp.golden import log2e_code
from hwsim.rtl.fixed_point import recode
from hwsim.rtl.stream_blocks.piecewise import evaluate
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import port_members


class Exp(wiring.Component):
    """One argument a cycle."""

    def __init__(self, contract: ExpContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, p, m = self.contract, self.contract.table, Module()
        pipe = Pipeline(m, advances(self.y))
        m.d.comb += self.x.ready.eq(pipe.advance)

        x = self.x.payload.value
        highest = Const((1 << c.magnitude_bits) - 1, c.magnitude_bits)
        magnitude = Mux(x > 0, 0, Mux(-x > highest, highest, -x))
        a = pipe.stage(valid=self.x.valid, magnitude=magnitude[: c.magnitude_bits])
        exponent = (a.magnitude * Const(log2e_code(c))) >> (c.argument.fraction + c.log2e_fraction - c.working_fraction)
        b = pipe.stage(valid=a.valid, exponent=exponent[: c.exponent_bits])

        segment, rest = b.exponent[p.rest_bits : c.working_fraction], b.exponent[: p.rest_bits]
        power, g = evaluate(m, pipe, p, segment, rest, valid=b.valid, k=b.exponent[c.working_fraction :])
        h = pipe.stage(valid=g.valid, shifted=power >> g.k)
        out = pipe.stage(valid=h.valid, y=recode(h.shifted, c.working_fraction, c.result))
        out = pipe.stages(c.output_stages, valid=out.valid, y=out.y)
        pipe.require_depth(c.block, c.latency)
        m.d.comb += [self.y.valid.eq(out.valid), self.y.payload.value.eq(out.y)]
        return m

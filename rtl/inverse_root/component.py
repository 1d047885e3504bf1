"""Reciprocal and reciprocal square root in RTL."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Mux
from amaranth.lib import wiring

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.inverse_root.contract import InverseRootContract
from hwsim.rtl.stream_blocks.normalize import behind_leading_one, leading_one
from hwsim.rtl.stream_blocks.piecewise import evaluate
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import port_members


class InverseRoot(wiring.Component):
    """One argument a cycle."""

    def __init__(self, contract: InverseRootContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, p, m = self.contract, self.contract.table, Module()
        pipe = Pipeline(m, advances(self.y))
        m.d.comb += self.x.ready.eq(pipe.advance)

        x = self.x.payload.value
        a = pipe.stage(valid=self.x.valid, x=x, zero=x == 0, position=leading_one(m, x, "position"))
        exponent = (a.position + c.exponent_offset)[: c.exponent_bits]
        b = pipe.stage(
            valid=a.valid,
            zero=a.zero,
            octave=exponent[: c.root_log2],
            shift=exponent[c.root_log2 :],
            fraction=behind_leading_one(a.x, a.position, c.working_fraction),
        )
        segment, rest = Cat(b.fraction[p.rest_bits :], b.octave), b.fraction[: p.rest_bits]
        value, g = evaluate(m, pipe, p, segment, rest, valid=b.valid, zero=b.zero, shift=b.shift)
        h = pipe.stage(valid=g.valid, zero=g.zero, shifted=(value << c.left_shift) >> g.shift)
        y = Mux(h.zero, c.result.code_range[1], recode(h.shifted, c.working_fraction, c.result))
        out = pipe.stage(valid=h.valid, y=y)
        out = pipe.stages(c.output_stages, valid=out.valid, y=out.y)
        pipe.require_depth(c.block, c.latency)
        m.d.comb += [self.y.valid.eq(out.valid), self.y.payload.value.eq(out.y)]
        return m

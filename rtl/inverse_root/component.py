"""Reciprocal and reciprocal square root in RTL."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Mux
from amaranth.lib import wiring

from hwsim.rtl.divide.component import Divide
from hwsim.rtl.fixed_point import recode
from hwsim.rtl.inverse_root.contract import InverseRootContract
from hwsim.rtl.square_root.component import SquareRoot
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
        m = Module()
        if self.contract.method == "division":
            self._divide(m)
        else:
            self._evaluate(m)
        return m

    def _divide(self, m: Module) -> None:
        """1 over the argument, or over its root. Both parts advance together, so that the block is one pipeline."""
        c = self.contract
        m.submodules.divide = divide = Divide(c.divider)
        advance, operand, valid = divide.x.ready, self.x.payload.value, self.x.valid
        if c.root is not None:
            m.submodules.square_root = root = SquareRoot(c.root)
            m.d.comb += [  # always fed, so that it is full before anything can stall
                root.x.valid.eq(1),
                root.x.payload.value.eq(operand),
                root.y.ready.eq(advance),
            ]
            operand, valid = root.y.payload.value, Pipeline(m, advance).stages(c.root.latency, valid=valid).valid
        m.d.comb += [
            self.x.ready.eq(advance),
            divide.x.valid.eq(valid),
            divide.x.payload.numerator.eq(1),
            divide.x.payload.denominator.eq(operand),
        ]
        wiring.connect(m, divide.y, wiring.flipped(self.y))

    def _evaluate(self, m: Module) -> None:
        """Normalise, read and evaluate a polynomial, shift back."""
        c, p = self.contract, self.contract.table
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

"""The divider in RTL: division by hand, unrolled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hwsim.rtl.divide.contract import DivideContract
from hwsim.rtl.fixed_point import recode
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import port_members


class Divide(wiring.Component):
    """One quotient a cycle."""

    def __init__(self, contract: DivideContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, advances(self.y))
        m.d.comb += self.x.ready.eq(pipe.advance)
        x = self.x.payload
        # what is left of the numerator, highest bit first; zeros come after it
        left = x.numerator[max(0, -c.zeros) :]
        none = Const(0, 0)
        s = SimpleNamespace(valid=self.x.valid, left=left, divisor=x.denominator, rest=none, quotient=none)
        for first in range(0, c.dividend_bits, c.bits_per_stage):
            for i in range(first, min(first + c.bits_per_stage, c.dividend_bits)):
                s.left, bit = (s.left[:-1], s.left[-1]) if len(s.left) else (s.left, Const(0, 1))
                fits, s.rest = self._bring_down(m, i, bit, s.rest, s.divisor)
                s.quotient = Cat(fits, s.quotient)
            s = pipe.stage(**vars(s))
        whole = s.quotient + self._above_middle(s) if c.rounds else s.quotient
        y = Mux(s.divisor == 0, c.quotient.code_range[1], recode(whole, c.quotient.fraction, c.quotient))
        out = pipe.stage(valid=s.valid, y=y)
        out = pipe.stages(c.output_stages, valid=out.valid, y=out.y)
        pipe.require_depth(c.block, c.latency)
        m.d.comb += [self.y.valid.eq(out.valid), self.y.payload.value.eq(out.y)]
        return m

    def _above_middle(self, s: SimpleNamespace) -> Value:
        """Whether the nearest quotient is the next one; in the middle, if that is even."""
        twice = s.rest << 1
        return (twice > s.divisor) | ((twice == s.divisor) & s.quotient[0])

    def _bring_down(self, m: Module, i: int, bit: Value, rest: Value, divisor: Value) -> tuple[Value, Value]:
        """Whether the divisor fits into the rest with one more bit, which is a bit of the quotient; and what is left.

        The rest of bit i has i + 1 bits, but no more than the divisor.
        """
        longer = Signal(len(rest) + 1, name=f"longer_{i}")
        fits, less = Signal(name=f"fits_{i}"), Signal(min(len(longer), len(divisor)), name=f"rest_{i}")
        m.d.comb += [
            longer.eq(Cat(bit, rest)),
            fits.eq(longer >= divisor),
            less.eq(Mux(fits, longer - divisor, longer)),
        ]
        return fits, less

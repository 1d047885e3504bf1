"""The square root in RTL: bit by bit, unrolled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.square_root.contract import SquareRootContract
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import port_members


class SquareRoot(wiring.Component):
    """One argument a cycle."""

    def __init__(self, contract: SquareRootContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, advances(self.y))
        m.d.comb += self.x.ready.eq(pipe.advance)
        # what is left of the square, highest bit first, an even number of bits; zeros come after it
        left = Cat(Const(0, c.zeros % 2), self.x.payload.value)
        left = Cat(left, Const(0, len(left) % 2))
        s = SimpleNamespace(valid=self.x.valid, left=left, rest=Const(0, 0), root=Const(0, 0))
        for first in range(0, c.root_bits, c.bits_per_stage):
            for i in range(first, min(first + c.bits_per_stage, c.root_bits)):
                s.left, pair = (s.left[:-2], s.left[-2:]) if len(s.left) else (s.left, Const(0, 2))
                s.rest, s.root = self._bring_down(m, i, pair, s.rest, s.root)
            s = pipe.stage(**vars(s))
        rounded = s.root + (s.rest > s.root) if c.result.rounding == "nearest_even" else s.root
        out = pipe.stage(valid=s.valid, y=recode(rounded, c.result.fraction, c.result))
        out = pipe.stages(c.output_stages, valid=out.valid, y=out.y)
        pipe.require_depth(c.block, c.latency)
        m.d.comb += [self.y.valid.eq(out.valid), self.y.payload.value.eq(out.y)]
        return m

    def _bring_down(self, m: Module, i: int, pair: Value, rest: Value, root: Value) -> tuple[Value, Value]:
        """The next rest and root: with a bit 1, the square of the root grows by `4 root + 1` in units of the new rest.

        A root of i + 1 bits leaves a rest of at most twice the root.
        """
        longer, grows = Signal(len(rest) + 2, name=f"longer_{i}"), Signal(i + 2, name=f"grows_{i}")
        fits, less = Signal(name=f"fits_{i}"), Signal(i + 2, name=f"rest_{i}")
        m.d.comb += [
            longer.eq(Cat(pair, rest)),
            grows.eq(Cat(Const(1, 2), root)),
            fits.eq(longer >= grows),
            less.eq(Mux(fits, longer - grows, longer)),
        ]
        return less, Cat(fits, root)

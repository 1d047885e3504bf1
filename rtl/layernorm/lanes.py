"""The data paths of layer norm: moments of a token, and the affine map of one feature."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.instances import add_instance
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.stream_blocks.adder_tree import add_tree
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.streams import shape_of


class Moments(wiring.Component):
    """`sum floor(x / D)` and `sum floor(x floor(x / D))` over the beats of a token."""

    def __init__(self, contract: LayerNormContract) -> None:
        c = self.contract = contract
        super().__init__(
            {
                "advance": In(1),
                "x": In(data.ArrayLayout(shape_of(c.activation), c.lanes)),
                "add": In(1),  # the sums add the trees' outputs
                "first": In(1),  # the sums start again
                "mean": Out(shape_of(c.accumulator)),
                "of_squares": Out(shape_of(c.accumulator)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        part = MomentLane(c)
        lanes = [add_instance(m, f"lane_{i}", "moment_lane", part) for i in range(c.lanes)]
        for lane, x in zip(lanes, self.x):
            m.d.comb += [lane.advance.eq(self.advance), lane.x.eq(x)]
        pipe = Pipeline(m, self.advance)
        for terms, total in (([n.term for n in lanes], self.mean), ([n.square for n in lanes], self.of_squares)):
            share = add_tree(pipe, terms, c.adder_levels, c.accumulator)
            register = Signal.like(total, reset_less=True)
            with m.If(self.add):
                m.d.sync += register.eq(Mux(self.first, 0, register) + share)
            m.d.comb += total.eq(register)
        return m


class MomentLane(wiring.Component):
    """One lane's terms of both sums, `2 product_stages` cycles later."""

    def __init__(self, contract: LayerNormContract) -> None:
        c = self.contract = contract
        fmt = shape_of(c.accumulator)
        super().__init__({"advance": In(1), "x": In(shape_of(c.activation)), "term": Out(fmt), "square": Out(fmt)})

    def elaborate(self, platform: Any) -> Module:
        c, acc, m = self.contract, self.contract.accumulator, Module()
        pipe = Pipeline(m, self.advance)
        # operands first, then the product: a tool may move the registers into the multipliers
        held = pipe.stages(c.product_stages - 1, x=self.x)
        term = recode(held.x * c.divisor, c.activation.fraction + c.divisor_fraction, acc)
        held = pipe.stage(x=held.x, term=term)
        held = pipe.stages(c.product_stages - 1, **vars(held))
        square = recode(held.x * held.term, c.activation.fraction + acc.fraction, acc)
        held = pipe.stage(term=held.term, square=square)
        m.d.comb += [self.term.eq(held.term), self.square.eq(held.square)]
        return m


class AffineLane(wiring.Component):
    """One feature, from its second reading to the result; x, norm and statistics arrive one cycle after the reading."""

    def __init__(self, contract: LayerNormContract) -> None:
        c = self.contract = contract
        super().__init__(
            {
                "advance": In(1),
                "x": In(shape_of(c.activation)),
                "mean": In(shape_of(c.accumulator)),
                "root": In(shape_of(c.root)),
                "weight": In(shape_of(c.weight)),
                "bias": In(shape_of(c.bias)),
                "y": Out(shape_of(c.activation)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, acc, m = self.contract, self.contract.accumulator, Module()
        pipe = Pipeline(m, self.advance)
        common = max(acc.fraction, c.activation.fraction)
        aligned = (self.x << (common - c.activation.fraction)) - (self.mean << (common - acc.fraction))
        norm = {"root": self.root, "weight": self.weight, "bias": self.bias}
        held = pipe.stage(centred=recode(aligned, common, acc), **norm)
        held = pipe.stages(c.product_stages - 1, **vars(held))
        normal = recode(held.centred * held.root, acc.fraction + c.root.fraction, acc)
        held = pipe.stage(normal=normal, weight=held.weight, bias=held.bias)
        held = pipe.stages(c.product_stages - 1, **vars(held))
        scaled = recode(held.normal * held.weight, acc.fraction + c.weight.fraction, acc)
        held = pipe.stage(scaled=scaled, bias=held.bias)
        shifted = recode(held.scaled + recode(held.bias, c.bias.fraction, acc), acc.fraction, acc)
        held = pipe.stages(1 + c.output_stages, y=recode(shifted, acc.fraction, c.activation))
        pipe.require_depth(c.block, c.affine_latency - 1)  # one stage is before this: the reading
        m.d.comb += self.y.eq(held.y)
        return m

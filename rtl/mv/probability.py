"""One probability a cycle: an exponential, then its product with one over the sum."""

from __future__ import annotations

from typing import Any

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.exp.component import Exp
from hwsim.rtl.fixed_point import recode
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.streams import shape_of


class ProbabilityUnit(wiring.Component):
    """`exp(difference) * inverse` after `exp.latency + product_stages` cycles in which `advance` is high."""

    def __init__(self, contract: MvContract) -> None:
        c = self.contract = contract
        super().__init__(
            {
                "advance": In(1),
                "difference": In(shape_of(c.exp.argument)),
                "inverse": In(shape_of(c.inverse)),
                "probability": Out(shape_of(c.activation)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        m.submodules.exp = exp = Exp(c.exp)
        m.d.comb += [  # always fed, so that it advances exactly when the rest does
            exp.x.valid.eq(1),
            exp.x.payload.value.eq(self.difference),
            exp.y.ready.eq(self.advance),
        ]
        pipe = Pipeline(m, self.advance)
        inverse = pipe.stages(c.exp.latency, inverse=self.inverse).inverse
        held = pipe.stages(c.product_stages - 1, power=exp.y.payload.value, inverse=inverse)
        fraction = c.exponential.fraction + c.inverse.fraction
        done = pipe.stage(probability=recode(held.power * held.inverse, fraction, c.activation))
        m.d.comb += self.probability.eq(done.probability)
        return m

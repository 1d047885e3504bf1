"""One slot's scores, if the scale multiplies the sum of each beat."""

from __future__ import annotations

from typing import Any

from amaranth import Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.mac_tile.component import sum_products
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.streams import shape_of


class ScaledColumn(wiring.Component):
    """A beat's multipliers and their tree of adders, the scale, and an accumulator of scaled sums."""

    def __init__(self, contract: QkReorderContract) -> None:
        c = self.contract = contract
        lanes = data.ArrayLayout(shape_of(c.activation), c.channels)
        super().__init__(
            {
                "advance": In(1),  # the pipeline advances
                "x": In(lanes),
                "w": In(lanes),
                "add": In(1),  # the accumulator adds the scaled sum
                "first": In(1),  # to 0
                "total": Out(shape_of(c.accumulator)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, self.advance)
        term = sum_products(pipe, c.column, self.x, self.w)
        scaled = term * Const(c.scale_code, shape_of(c.scale))
        s = pipe.stage(scaled=recode(scaled, c.accumulator.fraction + c.scale.fraction, c.accumulator))
        total = Signal.like(self.total, reset_less=True)
        with m.If(self.add):
            m.d.sync += total.eq(Mux(self.first, 0, total) + s.scaled)
        m.d.comb += self.total.eq(total)
        return m

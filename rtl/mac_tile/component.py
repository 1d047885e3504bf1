"""The multiply-accumulate tile in RTL: one column of multipliers and an adder tree for each output."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.instances import add_instance
from hwsim.rtl.mac_tile.contract import MacTileContract
from hwsim.rtl.stream_blocks.adder_tree import add_tree
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import port_members, shape_of


class MacTile(wiring.Component):
    """Joins activations, weights and biases, and controls `out_lanes` columns, which advance together."""

    def __init__(self, contract: MacTileContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        advance, accept, first = Signal(), Signal(), Signal(init=1)
        m.d.comb += [
            advance.eq(advances(self.y)),
            accept.eq(advance & self.x.valid & self.w.valid & (self.bias.valid | ~first)),
            self.x.ready.eq(accept),
            self.w.ready.eq(accept),
            self.bias.ready.eq(accept & first),
        ]
        with m.If(accept):
            m.d.sync += first.eq(self.x.payload.last)

        pipe = Pipeline(m, advance)
        held = pipe.stages(
            c.product_stages + c.tree_stages,
            valid=accept,
            first=first,
            last=self.x.payload.last,
            bias=self.bias.payload,
        )
        done = pipe.stage(valid=held.valid & held.last)
        sums = data.ArrayLayout(shape_of(c.accumulator), c.out_lanes)
        totals = Signal(sums)
        part = MacColumn(c)
        for lane in range(c.out_lanes):
            column = add_instance(m, f"column_{lane}", "mac_column", part)
            weights = self.w.payload.values.as_value().word_select(lane, c.in_lanes * c.weight.width)
            m.d.comb += [
                column.advance.eq(advance),
                column.x.eq(self.x.payload.values),
                column.w.eq(weights),
                column.add.eq(advance & held.valid),
                column.bias.eq(held.bias.values[lane]),
                column.first.eq(held.first),
                totals[lane].eq(column.total),
            ]
        out = pipe.stages(c.output_stages, valid=done.valid, totals=totals)
        pipe.require_depth(c.block, c.latency)
        m.d.comb += [self.y.valid.eq(out.valid), self.y.payload.values.eq(out.totals)]
        return m


class MacColumn(wiring.Component):
    """One output: `in_lanes` multipliers, a tree of adders, an accumulator."""

    def __init__(self, contract: MacTileContract) -> None:
        c = self.contract = contract
        super().__init__(
            {
                "advance": In(1),  # the pipeline advances
                "x": In(data.ArrayLayout(shape_of(c.activation), c.in_lanes)),
                "w": In(data.ArrayLayout(shape_of(c.weight), c.in_lanes)),
                "add": In(1),  # the accumulator adds the tree's output
                "first": In(1),  # it starts again from `bias`
                "bias": In(shape_of(c.bias)),
                "total": Out(shape_of(c.accumulator)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, self.advance)
        term = sum_products(pipe, c, self.x, self.w)
        start = Mux(self.first, recode(self.bias, c.bias.fraction, c.accumulator), self.total)
        total = Signal.like(self.total, reset_less=True)
        with m.If(self.add):
            m.d.sync += total.eq(start + term)
        m.d.comb += self.total.eq(total)
        return m


def sum_products(pipe: Pipeline, c: MacTileContract, x: Any, w: Any) -> Value:
    """The sum of the floored products of two beats' lanes, `product_stages + tree_stages` later."""
    # registers at the operands, then at the product, so that a tool can move them into the multipliers
    fraction = c.activation.fraction + c.weight.fraction
    operands = {f"x{i}": x[i] for i in range(c.in_lanes)} | {f"w{i}": w[i] for i in range(c.in_lanes)}
    held = pipe.stages(c.product_stages - 1, **operands)
    products = {
        f"p{i}": recode(getattr(held, f"x{i}") * getattr(held, f"w{i}"), fraction, c.accumulator)
        for i in range(c.in_lanes)
    }
    terms = list(vars(pipe.stage(**products)).values())
    return add_tree(pipe, terms, c.adder_levels, c.accumulator)

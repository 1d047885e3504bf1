"""Properties of a list of the best."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Signal
from amaranth.hdl import Assert
from amaranth.lib import wiring
from amaranth.lib.wiring import In


class TopKProperties(wiring.Component):
    """A list of the best with free values, a counter of indices, and one arbitrary index that is watched.

    Asserted: places fill from the top; values fall from place to place; of equal values the lower index is first; no
    index is listed twice or before its value came; the watched index is on the list with its own value, or the list is
    full and its last entry is better. Since the watched index is arbitrary, the list is the best of all values so far.
    """

    def __init__(self, top_k: Any, count: int) -> None:
        self.top_k = top_k
        self.count = count
        super().__init__(
            {"insert": In(1), "value": In(top_k.value.shape()), "watched": In(top_k.index.shape())},
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.top_k = dut = self.top_k
        came, latched = Signal(range(self.count + 1)), Signal()
        watched, value, seen = Signal.like(dut.index), Signal.like(dut.value), Signal()
        m.d.sync += latched.eq(1)
        with m.If(~latched):
            m.d.sync += watched.eq(self.watched)
        inserts = self.insert & latched
        m.d.comb += [dut.insert.eq(inserts), dut.value.eq(self.value)]
        with m.If(inserts):
            with m.If(came == self.count):  # a new list begins
                m.d.comb += [dut.first.eq(1), dut.index.eq(0)]
                m.d.sync += [came.eq(1), seen.eq(watched == 0), value.eq(self.value)]
            with m.Else():
                m.d.comb += [dut.first.eq(came == 0), dut.index.eq(came)]
                m.d.sync += came.eq(came + 1)
                with m.If(came == watched):
                    m.d.sync += [seen.eq(1), value.eq(self.value)]

        values, indices = ([fields[i] for i in range(dut.top)] for fields in (dut.values, dut.indices))
        held = [dut.held[i] for i in range(dut.top)]
        listed = [held[i] & (indices[i] == watched) for i in range(dut.top)]
        for i in range(dut.top):
            m.d.comb += [
                Assert(held[i] == (came > i)),
                Assert(~held[i] | (indices[i] < came)),
                Assert(~listed[i] | (seen & (values[i] == value))),
            ]
            for j in range(i):
                falls = (values[j] > values[i]) | ((values[j] == values[i]) & (indices[j] < indices[i]))
                m.d.comb += [Assert(~held[i] | falls), Assert(~held[i] | (indices[j] != indices[i]))]
        better = (values[-1] > value) | ((values[-1] == value) & (indices[-1] < watched))
        m.d.comb += Assert(~seen | Cat(listed).any() | (held[-1] & better))
        return m

"""The best k of numbers that come one at a time, by insertion."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, ShapeLike, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out


class TopK(wiring.Component):
    """Keeps the `top` largest values since `first`, sorted, and their indices; equal values in the order of arrival.

    A new value is inserted before the values that it exceeds (strictly, so that ties keep the lower index when indices
    rise). Values before it stay, values after it move by one place, and the last one is dropped.
    """

    def __init__(self, shape: ShapeLike, count: int, top: int) -> None:
        self.top = top
        index = max(1, (count - 1).bit_length())
        super().__init__(
            {
                "insert": In(1),
                "first": In(1),  # earlier values do not count
                "value": In(shape),
                "index": In(index),
                "held": Out(top),  # which places hold a value
                "values": Out(data.ArrayLayout(shape, top)),
                "indices": Out(data.ArrayLayout(index, top)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        held = [self.held[place] & ~self.first for place in range(self.top)]
        before = [~there | self.precedes(self.values[place]) for place, there in enumerate(held)]
        with m.If(self.insert):
            for place in range(self.top):
                # for each place: the previous value moves here, the new value comes here, or the old value stays
                above = max(place - 1, 0)
                moves = before[above] if place else 0
                with m.If(before[place]):
                    m.d.sync += [
                        self.held[place].eq(Mux(moves, held[above], 1)),
                        self.values[place].eq(Mux(moves, self.values[above], self.value)),
                        self.indices[place].eq(Mux(moves, self.indices[above], self.index)),
                    ]
        return m

    def precedes(self, listed: Value) -> Value:
        """Whether the new value goes before one on the list."""
        return self.value > listed

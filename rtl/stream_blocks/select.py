"""One of several values, by its number or by a bit for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth import Array, Mux, Value


def select(registers: Sequence[Value], index: Value) -> Value:
    """Register `index`, or the last one if there are fewer; each code has a case, as Verilog's lint requires."""
    missing = (1 << len(index)) - len(registers)
    chosen: Value = Array([*registers, *[registers[-1]] * missing])[index]
    return chosen


def choose(one_hot: Value, values: Sequence[Value]) -> Value:
    """The value of the bit that is set; 0 if none is."""
    return reduce(or_, (Mux(one_hot[i], value, 0) for i, value in enumerate(values)))

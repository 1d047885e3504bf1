"""The leading one of a number, and the number shifted so that its leading one is the top bit."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Signal, Value


def leading_one(m: Module, value: Value, name: str) -> Value:
    """Position of the highest set bit; 0 if there is none."""
    position = Signal(range(max(len(value), 2)), name=name)
    for i in range(len(value)):
        with m.If(value[i]):  # the last assignment that applies wins
            m.d.comb += position.eq(i)
    return position


def behind_leading_one(value: Value, position: Value, bits: int) -> Value:
    """The `bits` bits below the leading one, padded with zeros: `value / 2^position - 1` as a fraction."""
    width = len(value)
    places = (width - 1 - position)[: len(position)]  # not negative, which Amaranth cannot know
    # shifted right with reversed bits: the result of a left shift would be as wide as the largest shift makes it
    top = (value[::-1] >> places)[::-1][: width - 1]
    if bits <= width - 1:
        return top[width - 1 - bits :]
    return Cat(Const(0, bits - width + 1), top)

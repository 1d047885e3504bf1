"""Shift, round, wrap and saturate in Amaranth: the one place where components do it (`mapping.formats.recode`)."""

from __future__ import annotations

from amaranth import Cat, Const, Mux, Value

from mapping.formats import Fixed


def recode(value: Value, fraction: int, fmt: Fixed) -> Value:
    """`value` with `fraction` bits behind the point as `fmt.width` bits of `fmt`, by its rounding and overflow."""
    shift = fraction - fmt.fraction
    if shift <= 0:
        whole = value << -shift
    elif fmt.rounding == "floor":
        whole = value >> shift
    else:
        wide = extend(value, max(len(value), shift + 1))
        # half less one, and one more where the result would be odd: ties go to even
        whole = (wide + Const((1 << (shift - 1)) - 1, shift) + wide[shift]) >> shift
    if fmt.overflow == "saturate":
        low, high = fmt.code_range
        whole = Mux(whole < low, low, Mux(whole > high, high, whole))
    bits = extend(whole, max(len(whole), fmt.width))[: fmt.width]
    return bits.as_signed() if fmt.signed else bits


def extend(value: Value, width: int) -> Value:
    """`value` on `width` bits, by its sign if it has one."""
    missing = width - len(value)
    if missing <= 0:
        return value
    if not value.shape().signed:
        return Cat(value, Const(0, missing))
    return Cat(value, value[-1].replicate(missing)).as_signed()

"""Shift, round, wrap and saturate in Amaranth, as `hwsim.mapping.formats.recode` does; all components use this code."""

from __future__ import annotations

from amaranth import Cat, Const, Mux, Value

from hwsim.mapping.formats import Fixed


def recode(value: Value, fraction: int, fmt: Fixed) -> Value:
    """`value` with `fraction` bits after the point as `fmt.width` bits of `fmt`, by its rounding and overflow."""
    shift = fraction - fmt.fraction
    if shift <= 0:
        whole = value << -shift
    elif fmt.rounding == "floor":
        whole = value >> shift
    else:
        wide = extend(value, max(len(value), shift + 1))
        # half minus one, plus one if the result would be odd: ties go to even
        whole = (wide + Const((1 << (shift - 1)) - 1, shift) + wide[shift]) >> shift
    if fmt.overflow == "saturate":
        whole = _saturate(whole, *fmt.code_range)
    bits = extend(whole, max(len(whole), fmt.width))[: fmt.width]
    return bits.as_signed() if fmt.signed else bits


def _saturate(value: Value, low: int, high: int) -> Value:
    """`value`, clipped to the limits that it can exceed."""
    shape = value.shape()
    lowest, highest = (-(1 << (len(value) - 1)) if shape.signed else 0), (1 << (len(value) - shape.signed)) - 1
    clipped = Mux(value > high, high, value) if highest > high else value
    return Mux(value < low, low, clipped) if lowest < low else clipped


def extend(value: Value, width: int) -> Value:
    """`value` extended to `width` bits, by its sign if it has one."""
    missing = width - len(value)
    if missing <= 0:
        return value
    if not value.shape().signed:
        return Cat(value, Const(0, missing))
    return Cat(value, value[-1].replicate(missing)).as_signed()

"""The format that a sum of products needs, so that no order of its additions overflows or rounds."""

from __future__ import annotations

from hwsim.mapping.formats.base import FormatError
from hwsim.mapping.formats.fixed import MAX_WIDTH, Fixed, Int
from hwsim.mapping.formats.scaled import TensorFormat


def accumulator_of(a: TensorFormat, b: TensorFormat, length: int) -> Fixed:
    """The narrowest format that holds every sum of `length` products of an `a` and a `b`, and every part of it.

    Of two integers it is an integer, otherwise fixed point. It is exact: no product is rounded. Without a sign only
    where both operands have none.

    Raises
    ------
    FormatError : a float or a power of two; scales, whose elements alone are summed; no product; more bits than a
        format has
    """
    if length < 1:
        raise FormatError(f"a sum has 1 or more products, got {length}")
    first, second = _operand(a), _operand(b)
    ends = [length * x * y for x in first.code_range for y in second.code_range]
    low, high = min(ends), max(ends)
    width = max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + (low < 0)
    width = max(width, 1)
    if width > MAX_WIDTH:
        raise FormatError(f"a sum of {length} products of {a} and {b} has {width} bits; formats have {MAX_WIDTH}")
    if isinstance(first, Int) and isinstance(second, Int):
        return Int(width=width, signed=low < 0)
    return Fixed(width=width, integer=width - first.fraction - second.fraction, signed=low < 0)


def _operand(fmt: TensorFormat) -> Fixed:
    if fmt.element != fmt:
        raise FormatError(f"{fmt} has scales, and a sum is one of its elements: give {fmt.element}")
    if not isinstance(fmt, Fixed):
        raise FormatError(f"a sum of products is exact in fixed point and integers; {fmt} is neither")
    return fmt

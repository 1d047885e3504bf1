"""Arrays of floating-point numbers for golden models: numpy's own arithmetic in a format, and exp rounded once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.mapping.formats import Float, Format, round_to

# Values of one format, in its own numpy type. That type's arithmetic is the unit's: the sum, product or quotient of two
# values is rounded once, to nearest even, and subnormal numbers are kept. (numpy computes the narrow types in FP32,
# which has more than twice their bits, so that rounding a second time changes nothing.)
Floats = NDArray[Any]

# float64's exp is less than this wrong, relatively, in every library that numpy may use for it.
_DOUBT = 2.0**-48
_DIGITS = 60


@contextmanager
def unit_arithmetic() -> Iterator[None]:
    """Context in which numbers overflow to infinity and underflow to 0 silently, as in a unit."""
    with np.errstate(all="ignore"):
        yield


def dtype_of(fmt: Format) -> np.dtype[Any]:
    """The numpy type of a floating-point format."""
    assert isinstance(fmt, Float)  # contracts ensure it
    return fmt.dtype


def to_format(x: ArrayLike, fmt: Format) -> Floats:
    """`x` rounded to a format, in its type."""
    return round_to(x, fmt).astype(dtype_of(fmt))


def convert(x: Floats, fmt: Format) -> Floats:
    """Values of one format as another holds them."""
    return x.astype(dtype_of(fmt), copy=False)


def rounded_exp(x: Floats, fmt: Format) -> Floats:
    """e^x, the exact number rounded once to nearest even, as `fmt` holds it.

    float64's exp is rounded to `fmt`. In the rare case in which its own error might decide to which neighbour, the
    exact number is computed to 60 digits.
    """
    wide = np.exp(x.astype(np.float64))
    below, above = (to_format(wide * factor, fmt) for factor in (1 - _DOUBT, 1 + _DOUBT))
    doubtful = np.flatnonzero((below != above) & ~np.isnan(wide))
    for index in doubtful:
        below.flat[index] = _nearer(float(x.flat[index]), below.flat[index], above.flat[index])
    return below


def _nearer(x: float, below: Any, above: Any) -> Any:
    """Which of two neighbouring values is nearer to e^x; never both, since e^x is no fraction but for x = 0."""
    with localcontext() as context:
        context.prec = _DIGITS
        middle = (Decimal(float(below)) + Decimal(float(above))) / 2
        return below if Decimal(x).exp() < middle else above

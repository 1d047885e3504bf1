"""Powers of two, stored as their exponent: E8M0, the scale of the OCP's MX formats, and others of any range.

Source: OCP Microscaling Formats Specification 1.0 (E8M0). Multiplying by such a number is a shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.mapping.formats.base import FormatError, PlainFormat, checked_codes

# Exponents of float64's normal numbers.
LOWEST, HIGHEST = -1022, 1023


@dataclass(frozen=True, kw_only=True)
class PowerOfTwo(PlainFormat):
    """2^lowest, 2^(lowest + 1), ...: the code is the exponent, counted from `lowest`. No zero, no sign.

    Rounds to the nearest value, from the middle between two up: of 1 and 2 times a power, 2 is the even one. What is
    positive and below the smallest value becomes that.

    Attributes
    ----------
    nan : whether the highest code is NaN, which then also stands for what is too large, zero or negative. Without
        it, what is too large becomes the largest value, and the others have none

    Raises
    ------
    FormatError : exponents that float64's normal numbers have not got
    """

    width: int
    lowest: int
    nan: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.width <= 11:
            raise FormatError(f"a power of two has 1..11 bits, got {self.width}")
        if self.lowest < LOWEST or self.lowest + self._highest_code > HIGHEST:
            found = f"{self.lowest}..{self.lowest + self._highest_code}"
            raise FormatError(f"exponents {found} are outside {LOWEST}..{HIGHEST}")

    @property
    def _highest_code(self) -> int:
        """Code of the largest value."""
        return (1 << self.width) - 1 - self.nan

    @property
    def bits(self) -> int:
        return self.width

    @property
    def minimum(self) -> float:
        return 2.0**self.lowest

    @property
    def maximum(self) -> float:
        return 2.0 ** (self.lowest + self._highest_code)

    @property
    def resolution(self) -> float:
        return 1.0

    def quantise(self, x: ArrayLike) -> NDArray[np.int64]:
        values = np.asarray(x, dtype=np.float64)
        valued = values > 0
        if not (self.nan or valued.all()):
            raise FormatError(f"{values[~valued].flat[0]} has no value in {self}, which holds positive numbers")
        codes = np.where(valued, self._nearest(np.where(valued, values, 1.0)), np.inf)
        return np.clip(codes, 0, (1 << self.width) - 1).astype(np.int64)  # the highest of all, NaN where there is one

    def _nearest(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Codes of positive values, not yet within the range."""
        mantissa, exponent = np.frexp(x)  # x = mantissa * 2^exponent with mantissa in [0.5, 1)
        below = exponent - 1.0 - self.lowest
        return np.where(np.isinf(x), np.inf, below + (mantissa >= 0.75))

    def dequantise(self, codes: ArrayLike) -> NDArray[np.float64]:
        pattern = checked_codes(codes, (0, (1 << self.width) - 1), self)
        values = np.ldexp(1.0, pattern + self.lowest)
        return np.where(pattern > self._highest_code, np.nan, values)

    def __str__(self) -> str:
        if self == E8M0:
            return "e8m0"
        return f"pow2({self.width},{self.lowest}{',nan' if self.nan else ''})"


E8M0 = PowerOfTwo(width=8, lowest=-127, nan=True)

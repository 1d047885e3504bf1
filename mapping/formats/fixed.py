"""Fixed point and integers, and how a register's bits become those of another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.mapping.formats.base import FormatError, PlainFormat, checked_codes

Rounding = Literal["floor", "nearest_even"]
Overflow = Literal["wrap", "saturate"]

# Codes travel as int64 and values as float64, whose integers are exact up to here.
MAX_WIDTH = 53
# Far beyond any hardware, and near enough that every scale is a normal float64.
MAX_INTEGER = 128


@dataclass(frozen=True, kw_only=True)
class Fixed(PlainFormat):
    """Fixed point as in `ap_fixed<W, I>`: `integer` bits before the point, the sign among them.

    `integer` may be negative or exceed `width`: the point then lies outside the stored bits.

    Raises
    ------
    FormatError : a width beyond 53 bits, whose values float64 could not carry exactly; an unknown mode
    """

    width: int
    integer: int
    signed: bool = True
    rounding: Rounding = "floor"
    overflow: Overflow = "wrap"

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise FormatError(f"width {self.width} is outside 1..{MAX_WIDTH} bits")
        if abs(self.integer) > MAX_INTEGER:
            raise FormatError(f"integer bits {self.integer} are outside -{MAX_INTEGER}..{MAX_INTEGER}")
        for name, mode, modes in (("rounding", self.rounding, Rounding), ("overflow", self.overflow, Overflow)):
            if mode not in get_args(modes):
                raise FormatError(f"no {name} {mode!r}; understood are {', '.join(get_args(modes))}")

    @property
    def bits(self) -> int:
        return self.width

    @property
    def fraction(self) -> int:
        """Bits after the point."""
        return self.width - self.integer

    @property
    def code_range(self) -> tuple[int, int]:
        """Smallest and largest code."""
        if self.signed:
            return -(1 << (self.width - 1)), (1 << (self.width - 1)) - 1
        return 0, (1 << self.width) - 1

    @property
    def minimum(self) -> float:
        return self.code_range[0] * self.resolution

    @property
    def maximum(self) -> float:
        return self.code_range[1] * self.resolution

    @property
    def resolution(self) -> float:
        return 2.0**-self.fraction

    def quantise(self, x: ArrayLike) -> NDArray[np.int64]:
        values = np.asarray(x, dtype=np.float64)
        if np.isnan(values).any():
            raise FormatError(f"NaN has no value in {self}")
        low, high = self.code_range
        if self.overflow == "saturate":
            return np.clip(self._whole(values), low, high).astype(np.int64)
        if np.isinf(values).any():
            raise FormatError(f"infinity cannot wrap in {self}")
        # what exceeds 2^integer wraps away whole; fmod is exact, and rounding cannot tell the difference
        whole = self._whole(np.fmod(values, 2.0**self.integer)).astype(np.int64)
        return ((whole - low) % (1 << self.width)) + low

    def dequantise(self, codes: ArrayLike) -> NDArray[np.float64]:
        return checked_codes(codes, self.code_range, self).astype(np.float64) * self.resolution

    def _whole(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values as whole multiples of the resolution; a power of two scales exactly."""
        if self.rounding == "floor":
            # steps above 1 lose no information by a floor before, but a tiny negative value would by underflow
            values = np.floor(values) if self.fraction < 0 else values
            return np.floor(_scaled(values, self.fraction))
        return np.rint(_scaled(values, self.fraction))

    def __str__(self) -> str:
        name = "fixed" if self.signed else "ufixed"
        modes = "" if (self.rounding, self.overflow) == ("floor", "wrap") else f",{self.rounding},{self.overflow}"
        return f"{name}({self.width},{self.integer}{modes})"


@dataclass(frozen=True, kw_only=True)
class Int(Fixed):
    """An integer: fixed point with nothing after the point; rounds to nearest and saturates by default."""

    integer: int = field(init=False, default=0)  # the width, set below
    rounding: Rounding = "nearest_even"
    overflow: Overflow = "saturate"

    def __post_init__(self) -> None:
        object.__setattr__(self, "integer", self.width)
        super().__post_init__()

    def __str__(self) -> str:
        standard = (self.rounding, self.overflow) == ("nearest_even", "saturate")
        modes = "" if standard else f"({self.rounding},{self.overflow})"
        return f"{'int' if self.signed else 'uint'}{self.width}{modes}"


def recode(codes: ArrayLike, fraction: int, fmt: Fixed) -> NDArray[np.int64]:
    """Codes with `fraction` bits after the point as codes of `fmt`, by its rounding and overflow; shape as `codes`.

    What hardware does between two registers: shift, round, wrap or saturate. Exact for codes within int64.
    """
    values = np.asarray(codes, dtype=np.int64)
    shift = fraction - fmt.fraction
    if shift <= 0:
        # a left shift of more than 63 bits leaves nothing, where wrapping
        whole = _shifted_left(values, -shift, fmt)
    elif shift > 63:
        whole = values >> 63 if fmt.rounding == "floor" else np.zeros_like(values)
    else:
        whole = values >> shift
        if fmt.rounding == "nearest_even":
            rest, half = values & ((1 << shift) - 1), 1 << (shift - 1)
            whole = whole + ((rest > half) | ((rest == half) & (whole & 1 == 1)))
    low, high = fmt.code_range
    if fmt.overflow == "saturate":
        return np.clip(whole, low, high)
    return ((whole - low) & ((1 << fmt.width) - 1)) + low


def _shifted_left(values: NDArray[np.int64], places: int, fmt: Fixed) -> NDArray[np.int64]:
    """Values times 2^places; where `fmt` saturates, what is beyond its codes stays just beyond, within int64."""
    if fmt.overflow == "saturate":
        low, high = fmt.code_range
        places = min(places, 62)  # formats have at most 53 bits: any value but 0 is beyond them by then
        return np.clip(values, (low >> places) - 1, (high >> places) + 1) << places
    return values << places if places < 64 else np.zeros_like(values)


def _scaled(values: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Values times 2^exponent; what exceeds float64 becomes infinity."""
    with np.errstate(over="ignore"):
        return np.asarray(np.ldexp(values, exponent))

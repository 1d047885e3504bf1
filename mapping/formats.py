"""Number formats: fixed point, integers and floats, with exact rounding. A leaf that every room may import.

A value is turned into *codes* (what the bits say: raw two's complement for fixed point and integers, the bit
pattern for floats) and back; `round_to` does both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import ml_dtypes
import numpy as np
from numpy.typing import ArrayLike, NDArray

Rounding = Literal["floor", "nearest_even"]
Overflow = Literal["wrap", "saturate"]

# Codes travel as int64 and values as float64, whose integers are exact up to here.
MAX_WIDTH = 53


class FormatError(ValueError):
    """A format that does not exist, or a value that it cannot hold."""


@runtime_checkable
class Format(Protocol):
    """What all formats answer."""

    @property
    def bits(self) -> int:
        """Width in bits."""

    @property
    def bytes(self) -> int:
        """Width in whole bytes."""

    @property
    def minimum(self) -> float:
        """Smallest finite value."""

    @property
    def maximum(self) -> float:
        """Largest finite value."""

    @property
    def resolution(self) -> float:
        """Distance of neighbouring values; for floats that of 1 and its successor."""

    def quantise(self, x: ArrayLike) -> NDArray[np.int64]:
        """Codes of the nearest values."""

    def dequantise(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Values of codes."""


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Fixed point as in `ap_fixed<W, I>`: `integer` bits before the point, the sign among them.

    Raises
    ------
    FormatError : a width beyond 53 bits, whose values float64 could not carry exactly
    """

    width: int
    integer: int
    signed: bool = True
    rounding: Rounding = "floor"
    overflow: Overflow = "wrap"

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise FormatError(f"width {self.width} is outside 1..{MAX_WIDTH} bits")

    @property
    def bits(self) -> int:
        return self.width

    @property
    def bytes(self) -> int:
        return (self.width + 7) // 8

    @property
    def fraction(self) -> int:
        """Bits behind the point."""
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
        scaled = values * 2.0**self.fraction  # a power of two: exact
        whole = np.floor(scaled) if self.rounding == "floor" else np.rint(scaled)
        low, high = self.code_range
        if self.overflow == "saturate":
            return np.clip(whole, low, high).astype(np.int64)
        if np.isinf(whole).any():
            raise FormatError(f"infinity cannot wrap in {self}")
        return ((np.fmod(whole, 2.0**self.width).astype(np.int64) - low) % (1 << self.width)) + low

    def dequantise(self, codes: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(codes, dtype=np.int64).astype(np.float64) * self.resolution

    def __str__(self) -> str:
        name = "fixed" if self.signed else "ufixed"
        return f"{name}({self.width},{self.integer})"


@dataclass(frozen=True, kw_only=True)
class Int(Fixed):
    """An integer: fixed point with nothing behind the point; rounds to nearest and saturates by default."""

    integer: int = 0
    rounding: Rounding = "nearest_even"
    overflow: Overflow = "saturate"

    @property
    def fraction(self) -> int:
        return 0

    def __str__(self) -> str:
        return f"{'int' if self.signed else 'uint'}{self.width}"


@dataclass(frozen=True, kw_only=True)
class Float:
    """An IEEE-style float; rounds to nearest even, overflows to infinity."""

    name: str
    exponent_bits: int
    mantissa_bits: int

    @property
    def bits(self) -> int:
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def bytes(self) -> int:
        return (self.bits + 7) // 8

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy type whose arithmetic this is."""
        dtype: np.dtype[Any] = np.dtype(_DTYPES[self.name])
        return dtype

    @property
    def maximum(self) -> float:
        bias = (1 << (self.exponent_bits - 1)) - 1
        return float((2.0 - self.resolution) * 2.0**bias)

    @property
    def minimum(self) -> float:
        return -self.maximum

    @property
    def resolution(self) -> float:
        return 2.0**-self.mantissa_bits

    def quantise(self, x: ArrayLike) -> NDArray[np.int64]:
        # rounded in float64 first: a cast by way of float32 would round twice
        values = self._round(np.asarray(x, dtype=np.float64)).astype(self.dtype)
        return values.view(f"u{self.bytes}").astype(np.int64)

    def _round(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        _, exponent = np.frexp(x)
        lowest = 3 - (1 << (self.exponent_bits - 1))  # of the smallest normal number, as frexp counts
        step = np.ldexp(1.0, np.maximum(exponent, lowest) - 1 - self.mantissa_bits)
        with np.errstate(invalid="ignore"):
            rounded = np.where(np.isfinite(x), np.rint(x / step) * step, x)
        return np.where(np.abs(rounded) > self.maximum, np.copysign(np.inf, x), rounded)

    def dequantise(self, codes: ArrayLike) -> NDArray[np.float64]:
        pattern = np.asarray(codes, dtype=np.int64).astype(f"u{self.bytes}")
        values: NDArray[np.float64] = pattern.view(self.dtype).astype(np.float64)
        return values

    def __str__(self) -> str:
        return self.name


_DTYPES: dict[str, Any] = {"bf16": ml_dtypes.bfloat16, "fp16": np.float16, "fp32": np.float32}

BF16 = Float(name="bf16", exponent_bits=8, mantissa_bits=7)
FP16 = Float(name="fp16", exponent_bits=5, mantissa_bits=10)
FP32 = Float(name="fp32", exponent_bits=8, mantissa_bits=23)
FLOATS = {fmt.name: fmt for fmt in (BF16, FP16, FP32)}


def quantise(x: ArrayLike, fmt: Format) -> NDArray[np.int64]:
    """Codes of the values of `fmt` nearest to `x` by its rounding; shape as `x`."""
    return fmt.quantise(x)


def dequantise(codes: ArrayLike, fmt: Format) -> NDArray[np.float64]:
    """Values of codes; shape as `codes`."""
    return fmt.dequantise(codes)


def round_to(x: ArrayLike, fmt: Format) -> NDArray[np.float64]:
    """`x` as `fmt` holds it; shape as `x`."""
    return fmt.dequantise(fmt.quantise(x))


def parse_format(text: str) -> Format:
    """A format from its text: `bf16`, `fp16`, `fp32`, `int8`, `uint4`, `fixed(32,10)`, `ufixed(8,0)`.

    Raises
    ------
    FormatError : names what is understood
    """
    compact = text.replace(" ", "")
    if compact in FLOATS:
        return FLOATS[compact]
    if match := re.fullmatch(r"(u?)int(\d{1,3})", compact):
        return Int(width=int(match[2]), signed=not match[1])
    if match := re.fullmatch(r"(u?)fixed\((\d{1,3}),(-?\d{1,3})\)", compact):
        return Fixed(width=int(match[2]), integer=int(match[3]), signed=not match[1])
    raise FormatError(f"no number format {text!r}; understood are {', '.join(FLOATS)}, int8, uint4, fixed(32,10)")

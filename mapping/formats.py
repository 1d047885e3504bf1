"""Number formats: fixed point, integers and floats, with exact rounding. A leaf that every room may import.

A value is turned into *codes* (what the bits say: raw two's complement for fixed point and integers, the bit
pattern for floats) and back; `round_to` does both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args, runtime_checkable

import ml_dtypes
import numpy as np
from numpy.typing import ArrayLike, NDArray

Rounding = Literal["floor", "nearest_even"]
Overflow = Literal["wrap", "saturate"]

# Codes travel as int64 and values as float64, whose integers are exact up to here.
MAX_WIDTH = 53
# Far beyond any hardware, and near enough that every scale is a normal float64.
MAX_INTEGER = 128


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
        low, high = self.code_range
        if self.overflow == "saturate":
            return np.clip(self._whole(values), low, high).astype(np.int64)
        if np.isinf(values).any():
            raise FormatError(f"infinity cannot wrap in {self}")
        # what exceeds 2^integer wraps away whole; fmod is exact, and rounding cannot tell the difference
        whole = self._whole(np.fmod(values, 2.0**self.integer)).astype(np.int64)
        return ((whole - low) % (1 << self.width)) + low

    def dequantise(self, codes: ArrayLike) -> NDArray[np.float64]:
        return _checked_codes(codes, self.code_range, self).astype(np.float64) * self.resolution

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
    """An integer: fixed point with nothing behind the point; rounds to nearest and saturates by default."""

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


@dataclass(frozen=True, kw_only=True)
class Float:
    """An IEEE-style float; rounds to nearest even, overflows to infinity, keeps subnormal numbers.

    Raises
    ------
    FormatError : a name without a numpy type, or bits that are not those of the type
    """

    name: str
    exponent_bits: int
    mantissa_bits: int

    def __post_init__(self) -> None:
        if self.name not in _DTYPES:
            raise FormatError(f"no float {self.name!r}; there are {', '.join(_DTYPES)}")
        if self.bits != 8 * self.dtype.itemsize:
            raise FormatError(f"{self.name} has {8 * self.dtype.itemsize} bits, got {self.bits}")

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
        pattern = _checked_codes(codes, (0, (1 << self.bits) - 1), self).astype(f"u{self.bytes}")
        with np.errstate(invalid="ignore"):  # a signalling NaN is a value like others
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


def recode(codes: ArrayLike, fraction: int, fmt: Fixed) -> NDArray[np.int64]:
    """Codes with `fraction` bits behind the point as codes of `fmt`, by its rounding and overflow; shape as `codes`.

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


def parse_format(text: str) -> Format:
    """A format from its text: `bf16`, `fp16`, `fp32`, `int8`, `uint4`, `fixed(32,10)`, `ufixed(8,0)`.

    Modes other than the usual ones follow: `fixed(32,10,nearest_even,saturate)`, `int8(floor,wrap)`. The text of
    a format parses to that format.

    Raises
    ------
    FormatError : names what is understood
    """
    compact = text.replace(" ", "")
    if compact in FLOATS:
        return FLOATS[compact]
    if match := re.fullmatch(r"(u?)int(\d{1,3})(?:\((\w+),(\w+)\))?", compact):
        return Int(width=int(match[2]), signed=not match[1], **_modes(match[3], match[4]))
    if match := re.fullmatch(r"(u?)fixed\((\d{1,3}),(-?\d{1,3})(?:,(\w+),(\w+))?\)", compact):
        modes = _modes(match[4], match[5])
        return Fixed(width=int(match[2]), integer=int(match[3]), signed=not match[1], **modes)
    raise FormatError(f"no number format {text!r}; understood are {', '.join(FLOATS)}, int8, uint4, fixed(32,10)")


def _modes(rounding: str | None, overflow: str | None) -> dict[str, Any]:
    """The modes that a text names; none for the usual ones."""
    return {} if rounding is None else {"rounding": rounding, "overflow": overflow}


def _scaled(values: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Values times 2^exponent; what exceeds float64 becomes infinity."""
    with np.errstate(over="ignore"):
        return np.asarray(np.ldexp(values, exponent))


def _checked_codes(codes: ArrayLike, code_range: tuple[int, int], fmt: Format) -> NDArray[np.int64]:
    array = np.asarray(codes, dtype=np.int64)
    low, high = code_range
    outside = array[(array < low) | (array > high)]
    if outside.size:
        raise FormatError(f"code {outside.flat[0]} is outside {low}..{high} of {fmt}")
    return array

"""Floating point from 4 to 32 bits, rounded exactly once, to nearest even.

Sources: IEEE 754-2019 (fp16, fp32); OCP 8-bit Floating Point Specification 1.0 (fp8); OCP Microscaling Formats
Specification 1.0 (fp6, fp4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import ml_dtypes
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.mapping.formats.base import FormatError, PlainFormat, checked_codes

Specials = Literal["ieee", "nan", "none"]
FloatOverflow = Literal["non_finite", "saturate"]


@dataclass(frozen=True, kw_only=True)
class Float(PlainFormat):
    """Sign, exponent and mantissa; rounds to nearest even and keeps subnormal numbers.

    Attributes
    ----------
    name : one of those that numpy or ml_dtypes has a type for
    specials : what is no finite number. `ieee`: the highest exponent holds infinities and NaNs. `nan`: all bits set
        after the sign are NaN, and there is no infinity. `none`: every code is a finite number
    overflow : what a value becomes that rounds beyond the largest. `non_finite`: infinity, or NaN in a format without
        infinity. `saturate`: the largest finite value, for infinity too

    Raises
    ------
    FormatError : a name without a type, bits that are not those of the type, an unknown mode
    """

    name: str
    exponent_bits: int
    mantissa_bits: int
    specials: Specials = "ieee"
    overflow: FloatOverflow = "non_finite"

    def __post_init__(self) -> None:
        if self.name not in _DTYPES:
            raise FormatError(f"no float {self.name!r}; there are {', '.join(_DTYPES)}")
        for name, mode, modes in (("specials", self.specials, Specials), ("overflow", self.overflow, FloatOverflow)):
            if mode not in get_args(modes):
                raise FormatError(f"no {name} {mode!r}; understood are {', '.join(get_args(modes))}")
        known = _finfo(self.dtype)
        if self.bits != known.bits:
            raise FormatError(f"{self.name} has {known.bits} bits, got {self.bits}")
        if self.maximum != float(known.max):  # right only if exponent, mantissa and specials all are
            raise FormatError(f"{self.name} reaches {float(known.max):g}, but what is described {self.maximum:g}")
        if self.specials == "none" and self.overflow != "saturate":
            raise FormatError(f"{self.name} has finite numbers alone: its overflow is saturate, got {self.overflow}")

    @property
    def bits(self) -> int:
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy type whose arithmetic this is; one byte where the format is narrower."""
        dtype: np.dtype[Any] = np.dtype(_DTYPES[self.name])
        return dtype

    @property
    def maximum(self) -> float:
        bias = (1 << (self.exponent_bits - 1)) - 1
        match self.specials:
            case "ieee":
                return float((2.0 - self.resolution) * 2.0**bias)
            case "nan":  # the highest mantissa of the highest exponent is taken
                return float((2.0 - 2 * self.resolution) * 2.0 ** (bias + 1))
            case "none":
                return float((2.0 - self.resolution) * 2.0 ** (bias + 1))

    @property
    def minimum(self) -> float:
        return -self.maximum

    @property
    def resolution(self) -> float:
        return 2.0**-self.mantissa_bits

    def quantise(self, x: ArrayLike) -> NDArray[np.int64]:
        values = np.asarray(x, dtype=np.float64)
        if self.specials == "none" and np.isnan(values).any():
            raise FormatError(f"NaN has no value in {self}")
        # rounded in float64 first: a cast by way of float32 would round twice
        return self._round(values).astype(self.dtype).view(f"u{self.bytes}").astype(np.int64)

    def _round(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        _, exponent = np.frexp(x)
        lowest = 3 - (1 << (self.exponent_bits - 1))  # of the smallest normal number, as frexp counts
        step = np.ldexp(1.0, np.maximum(exponent, lowest) - 1 - self.mantissa_bits)
        with np.errstate(invalid="ignore"):
            rounded = np.where(np.isfinite(x), np.rint(x / step) * step, x)
        return np.where(np.abs(rounded) > self.maximum, np.copysign(self._beyond, x), rounded)

    @property
    def _beyond(self) -> float:
        """Magnitude of what is too large."""
        if self.overflow == "saturate":
            return self.maximum
        return np.inf if self.specials == "ieee" else np.nan

    def dequantise(self, codes: ArrayLike) -> NDArray[np.float64]:
        pattern = checked_codes(codes, (0, (1 << self.bits) - 1), self).astype(f"u{self.bytes}")
        with np.errstate(invalid="ignore"):  # a signalling NaN is a value like others
            values: NDArray[np.float64] = pattern.view(self.dtype).astype(np.float64)
        return values

    def __str__(self) -> str:
        chosen = self.overflow == "saturate" and self.specials != "none"
        return f"{self.name}(saturate)" if chosen else self.name


_finfo: Any = ml_dtypes.finfo  # has no type annotations
_DTYPES: dict[str, Any] = {
    "bf16": ml_dtypes.bfloat16,
    "fp16": np.float16,
    "fp32": np.float32,
    "fp8_e4m3": ml_dtypes.float8_e4m3fn,
    "fp8_e5m2": ml_dtypes.float8_e5m2,
    "fp6_e2m3": ml_dtypes.float6_e2m3fn,
    "fp6_e3m2": ml_dtypes.float6_e3m2fn,
    "fp4_e2m1": ml_dtypes.float4_e2m1fn,
}

BF16 = Float(name="bf16", exponent_bits=8, mantissa_bits=7)
FP16 = Float(name="fp16", exponent_bits=5, mantissa_bits=10)
FP32 = Float(name="fp32", exponent_bits=8, mantissa_bits=23)
FP8_E4M3 = Float(name="fp8_e4m3", exponent_bits=4, mantissa_bits=3, specials="nan")
FP8_E5M2 = Float(name="fp8_e5m2", exponent_bits=5, mantissa_bits=2)
FP6_E2M3 = Float(name="fp6_e2m3", exponent_bits=2, mantissa_bits=3, specials="none", overflow="saturate")
FP6_E3M2 = Float(name="fp6_e3m2", exponent_bits=3, mantissa_bits=2, specials="none", overflow="saturate")
FP4_E2M1 = Float(name="fp4_e2m1", exponent_bits=2, mantissa_bits=1, specials="none", overflow="saturate")

# what units that compute in floating point are described for, and what is stored in fewer bits
FLOATS = {fmt.name: fmt for fmt in (BF16, FP16, FP32)}
NARROW_FLOATS = {fmt.name: fmt for fmt in (FP8_E4M3, FP8_E5M2, FP6_E2M3, FP6_E3M2, FP4_E2M1)}

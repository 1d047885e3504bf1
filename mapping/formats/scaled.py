"""Formats with scales: what is stored for a matrix whose elements share scales, and how many bits that is."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.formats.base import Format, FormatError, count_elements
from hwsim.mapping.formats.fixed import Fixed, Int
from hwsim.mapping.formats.floats import (
    FP4_E2M1,
    FP6_E2M3,
    FP6_E3M2,
    FP8_E4M3,
    FP8_E5M2,
    FP32,
    Float,
)
from hwsim.mapping.formats.granularity import Granularity, group
from hwsim.mapping.formats.powers import E8M0, PowerOfTwo


@dataclass(frozen=True, kw_only=True)
class ScaledFormat:
    """A matrix as codes and scales: an element is worth (code - zero point) x scale x scale of the tensor.

    `quantised.py` says how scales follow from data.

    Attributes
    ----------
    element : format of the codes; rounds to nearest even and, being fixed point or an integer, saturates
    granularity : which elements share a scale
    scale : format of the scales
    zero : format of the zero points, one a scale; None for a format that is symmetric about 0
    tensor_scale : format of a second scale, one for the whole matrix, by which all others are multiplied; or None

    Raises
    ------
    FormatError : parts that do not go together
    """

    element: Fixed | Float
    granularity: Granularity
    scale: Float | PowerOfTwo = FP32
    zero: Int | None = None
    tensor_scale: Float | PowerOfTwo | None = None

    def __post_init__(self) -> None:
        self._check_element()
        for name, fmt in (("scale", self.scale), ("tensor scale", self.tensor_scale)):
            if fmt is not None and not isinstance(fmt, Float | PowerOfTwo):
                raise FormatError(f"{name}: a scale is a float or a power of two, got {fmt}")
        if self.zero is not None:
            self._check_zero(self.zero)
        if self.tensor_scale is not None and self.granularity.kind == "tensor":
            raise FormatError("a second scale of the whole tensor goes with scales of its parts, got tensor twice")

    def _check_element(self) -> None:
        match self.element:
            case Float():
                return
            case Fixed():
                modes = (self.element.rounding, self.element.overflow)
                if modes != ("nearest_even", "saturate"):
                    raise FormatError(f"elements with scales round to nearest even and saturate, got {self.element}")
                if self.element.maximum <= 0:
                    raise FormatError(f"elements with scales reach above 0, got {self.element}")
            case _:
                raise FormatError(f"elements with scales are floats, integers or fixed point, got {self.element}")

    def _check_zero(self, zero: Int) -> None:
        if not (isinstance(zero, Int) and isinstance(self.element, Int)):
            raise FormatError(f"zero points are integers of integers, got {zero} of {self.element}")
        low, high = self.element.code_range
        if zero.minimum > low or zero.maximum < high:
            raise FormatError(f"a zero point of {self.element} is {low}..{high}, more than {zero} holds")

    @property
    def bits(self) -> int:
        """Width of an element in bits, scales apart."""
        return self.element.bits

    def scale_bits(self, rows: int, columns: int) -> int:
        """Bits of the scales of a (rows, columns) matrix, zero points and the second scale among them."""
        down, across = self.granularity.grid(rows, columns)
        if not down * across:
            return 0
        each = self.scale.bits + (self.zero.bits if self.zero else 0)
        return down * across * each + (self.tensor_scale.bits if self.tensor_scale else 0)

    def stored_bits(self, rows: int, columns: int) -> int:
        """Bits of a (rows, columns) matrix, elements packed and scales included."""
        return count_elements(rows, columns) * self.bits + self.scale_bits(rows, columns)

    def __str__(self) -> str:
        for name, fmt in STANDARDS.items():
            if self == fmt:
                return name
        formats = f"{self.scale},{self.zero}" if self.zero else f"{self.scale}"
        second = f"/tensor({self.tensor_scale})" if self.tensor_scale else ""
        return f"{self.element}/{self.granularity}({formats}){second}"


# One protocol for what a graph stores: formats of single numbers, and such with scales. All answer `bits`, `element`,
# `scale_bits` and `stored_bits`.
TensorFormat = Format | ScaledFormat


def _mx(element: Fixed | Float) -> ScaledFormat:
    return ScaledFormat(element=element, granularity=group(32), scale=E8M0)


# Formats that a standard or a vendor has named; printed by these names. Sources: OCP Microscaling Formats
# Specification 1.0; NVIDIA's documentation of NVFP4.
STANDARDS: dict[str, ScaledFormat] = {
    "mxfp8": _mx(FP8_E4M3),
    "mxfp8_e5m2": _mx(FP8_E5M2),
    "mxfp6": _mx(FP6_E2M3),
    "mxfp6_e3m2": _mx(FP6_E3M2),
    "mxfp4": _mx(FP4_E2M1),
    "mxint8": _mx(Fixed(width=8, integer=2, rounding="nearest_even", overflow="saturate")),
    "nvfp4": ScaledFormat(element=FP4_E2M1, granularity=group(16), scale=FP8_E4M3, tensor_scale=FP32),
}

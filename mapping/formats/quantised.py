"""A matrix in a format with scales: how scales follow from its values, and how the values come back.

All arithmetic is float64; what is stored is rounded as its own format says.

- A region's *need* is its largest magnitude over the element's largest value; with zero points its span, widened to
  hold 0, over the element's span.
- With a second scale that one is the largest need over the scales' largest value, rounded up, and needs are divided
  by it.
- A scale is its need rounded **up** to the scale's format, so that no element overflows; at least the smallest
  value above 0, which is also the scale of a region of zeros. (The OCP's own rule for MX formats rounds down and
  saturates what then exceeds the elements. NVIDIA's for NVFP4 rounds to nearest, likewise.)
- A zero point is the lowest code minus the region's smallest value over the scale, rounded to nearest even, so that
  0 is held exactly.
- A code is the value over its scales, rounded to the element's format; with a zero point rounded to an integer, and
  the zero point added.

So a value comes back within half the distance of the element's neighbouring values there times the scales, but for
the rounding of float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.mapping.formats.base import FormatError
from hwsim.mapping.formats.fixed import Int
from hwsim.mapping.formats.floats import Float
from hwsim.mapping.formats.powers import PowerOfTwo
from hwsim.mapping.formats.scaled import ScaledFormat

Codes = NDArray[np.int64]
Values = NDArray[np.float64]

# Any need above 0 rounds up to a scale above 0; this is the smallest.
SMALLEST_NEED = 5e-324


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantised:
    """The codes that stand for a (rows, columns) matrix.

    Attributes
    ----------
    codes : (rows, columns), in `fmt.element`
    scales : (down, across) of the granularity's grid, in `fmt.scale`
    zeros : as `scales`, in `fmt.zero`; None without zero points
    tensor_scale : a single code, in `fmt.tensor_scale`; None without a second scale

    Raises
    ------
    FormatError : a part that is missing, has no place in the format, or has another shape
    """

    fmt: ScaledFormat
    codes: Codes
    scales: Codes
    zeros: Codes | None = None
    tensor_scale: int | None = None

    def __post_init__(self) -> None:
        if self.codes.ndim != 2:
            raise FormatError(f"codes of {self.fmt} are (rows, columns), got the shape {self.codes.shape}")
        grid = self.fmt.granularity.grid(*self.shape)
        for name, part, wanted in (
            ("scales", self.scales, True),
            ("zero points", self.zeros, self.fmt.zero is not None),
        ):
            found = None if part is None else part.shape
            if found != (grid if wanted else None):
                raise FormatError(f"{self.fmt} of {self.shape} has {name} {grid if wanted else None}, got {found}")
        if (self.tensor_scale is None) != (self.fmt.tensor_scale is None):
            raise FormatError(f"{self.fmt} has a second scale or none, got {self.tensor_scale}")

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the matrix."""
        rows, columns = self.codes.shape
        return rows, columns

    def factors(self) -> Values:
        """(rows, columns) by what each element is multiplied: its scale times the second scale."""
        scales = self.fmt.scale.dequantise(self.scales)
        if self.fmt.tensor_scale is not None and self.tensor_scale is not None:
            scales = scales * self.fmt.tensor_scale.dequantise(self.tensor_scale)
        return _spread(scales, self.fmt, self.shape)

    def values(self) -> Values:
        """(rows, columns) the values that the codes stand for."""
        elements = self.fmt.element.dequantise(self.codes)
        if self.fmt.zero is not None and self.zeros is not None:
            elements = elements - _spread(self.fmt.zero.dequantise(self.zeros), self.fmt, self.shape)
        return elements * self.factors()


def quantise_matrix(x: ArrayLike, fmt: ScaledFormat) -> Quantised:
    """A (rows, columns) matrix in `fmt`, by the rules above.

    Raises
    ------
    FormatError : no matrix; a value that is not finite; a negative one where the element has no sign and there is
        no zero point; a scale beyond the largest of its format
    """
    values = _checked_matrix(x, fmt)
    low, high = _extremes(values, fmt)
    needs = _needs(low, high, fmt)
    tensor_scale, second = None, 1.0
    if fmt.tensor_scale is not None:
        largest = needs.max(initial=SMALLEST_NEED) / fmt.scale.maximum
        code = _round_up(np.maximum(largest, SMALLEST_NEED), fmt.tensor_scale, fmt)
        tensor_scale, second = int(code), float(fmt.tensor_scale.dequantise(code))
    scales = _round_up(np.maximum(needs / second, SMALLEST_NEED), fmt.scale, fmt)
    steps = fmt.scale.dequantise(scales) * second
    ratios = values / _spread(steps, fmt, values.shape)
    if fmt.zero is None:
        return Quantised(fmt=fmt, codes=fmt.element.quantise(ratios), scales=scales, tensor_scale=tensor_scale)
    assert isinstance(fmt.element, Int)  # the format sees to it
    lowest, highest = fmt.element.code_range
    points = lowest - np.rint(low / steps)
    # a tie at both ends of the span may round away from both: one code too many, half a step off when clipped
    codes = np.clip(np.rint(ratios) + _spread(points, fmt, values.shape), lowest, highest).astype(np.int64)
    zeros = fmt.zero.quantise(points)
    return Quantised(fmt=fmt, codes=codes, scales=scales, zeros=zeros, tensor_scale=tensor_scale)


def _checked_matrix(x: ArrayLike, fmt: ScaledFormat) -> Values:
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 2:
        raise FormatError(f"{fmt} holds (rows, columns), got the shape {values.shape}")
    if not np.isfinite(values).all():
        raise FormatError(f"{values[~np.isfinite(values)].flat[0]} has no scale in {fmt}")
    if fmt.element.minimum >= 0 and fmt.zero is None and (values < 0).any():
        raise FormatError(f"{values.min():g} has no value in {fmt}, whose elements have no sign")
    return values


def _extremes(values: Values, fmt: ScaledFormat) -> tuple[Values, Values]:
    """Smallest and largest value of each region, 0 among them; each (down, across)."""
    height, width = fmt.granularity.region(*values.shape)
    down, across = fmt.granularity.grid(*values.shape)
    missing = (down * height - values.shape[0], across * width - values.shape[1])
    padded = np.pad(values, ((0, missing[0]), (0, missing[1])))
    regions = padded.reshape(down, height, across, width)
    return regions.min(axis=(1, 3), initial=0.0), regions.max(axis=(1, 3), initial=0.0)


def _needs(low: Values, high: Values, fmt: ScaledFormat) -> Values:
    """What the scale of each region must at least be."""
    if fmt.zero is None:
        return np.maximum(-low, high) / fmt.element.maximum
    return high / (fmt.element.maximum - fmt.element.minimum) - low / (fmt.element.maximum - fmt.element.minimum)


def _round_up(needs: Values, scale: Float | PowerOfTwo, fmt: ScaledFormat) -> Codes:
    """Codes of the smallest values of `scale` that are not below positive needs."""
    if (needs > scale.maximum).any():
        raise FormatError(f"{fmt} would need a scale of {needs.max():g}; the largest of {scale} is {scale.maximum:g}")
    nearest = scale.quantise(needs)
    # codes of positive floats and of powers of two are in the order of their values
    return nearest + (scale.dequantise(nearest) < needs)


def _spread(grid: Values, fmt: ScaledFormat, shape: tuple[int, ...]) -> Values:
    """(rows, columns) the entry of the region that each element is in."""
    rows, columns = shape
    height, width = fmt.granularity.region(rows, columns)
    return np.repeat(np.repeat(grid, height, axis=0), width, axis=1)[:rows, :columns]

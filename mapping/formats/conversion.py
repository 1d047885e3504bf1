"""Values to codes and back, for formats with and without scales alike."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.mapping.formats.base import Format, FormatError
from hwsim.mapping.formats.quantised import Quantised, quantise_matrix
from hwsim.mapping.formats.scaled import ScaledFormat, TensorFormat


@overload
def quantise(x: ArrayLike, fmt: Format) -> NDArray[np.int64]: ...


@overload
def quantise(x: ArrayLike, fmt: ScaledFormat) -> Quantised: ...


def quantise(x: ArrayLike, fmt: TensorFormat) -> NDArray[np.int64] | Quantised:
    """Codes of the values of `fmt` nearest to `x` by its rounding; shape as `x`.

    With scales: the codes of a (rows, columns) matrix, with its scales.
    """
    return quantise_matrix(x, fmt) if isinstance(fmt, ScaledFormat) else fmt.quantise(x)


@overload
def dequantise(codes: ArrayLike, fmt: Format) -> NDArray[np.float64]: ...


@overload
def dequantise(codes: Quantised, fmt: ScaledFormat) -> NDArray[np.float64]: ...


def dequantise(codes: ArrayLike | Quantised, fmt: TensorFormat) -> NDArray[np.float64]:
    """Values of codes; shape as `codes`.

    Raises
    ------
    FormatError : codes of another format
    """
    if isinstance(fmt, ScaledFormat) and isinstance(codes, Quantised) and codes.fmt == fmt:
        return codes.values()
    if isinstance(fmt, ScaledFormat) or isinstance(codes, Quantised):
        found = codes.fmt if isinstance(codes, Quantised) else "codes without scales"
        raise FormatError(f"expected codes of {fmt}, got {found}")
    return fmt.dequantise(codes)


def round_to(x: ArrayLike, fmt: TensorFormat) -> NDArray[np.float64]:
    """`x` as `fmt` holds it; shape as `x`."""
    if isinstance(fmt, ScaledFormat):
        return quantise_matrix(x, fmt).values()
    return fmt.dequantise(fmt.quantise(x))

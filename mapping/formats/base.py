"""What every number format answers, and what all of single numbers have in common."""

from __future__ import annotations

from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray


class FormatError(ValueError):
    """A format that does not exist, or a value that it cannot hold."""


@runtime_checkable
class Format(Protocol):
    """What all formats of single numbers answer."""

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
        """Distance of neighbouring values; for floats and powers of two that of 1 and the next above."""

    @property
    def element(self) -> Format:
        """Format of a single element of a matrix: this one."""

    def quantise(self, x: ArrayLike) -> NDArray[np.int64]:
        """Codes of the nearest values."""

    def dequantise(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Values of codes."""

    def scale_bits(self, rows: int, columns: int) -> int:
        """Bits that a (rows, columns) matrix needs beyond its elements: none."""

    def stored_bits(self, rows: int, columns: int) -> int:
        """Bits of a (rows, columns) matrix, its elements packed."""


class PlainFormat:
    """Base of the formats of single numbers: a matrix of them is its elements and nothing else."""

    @property
    def bits(self) -> int:
        raise NotImplementedError

    @property
    def bytes(self) -> int:
        return (self.bits + 7) // 8

    @property
    def element(self) -> Self:
        return self

    def scale_bits(self, rows: int, columns: int) -> int:
        count_elements(rows, columns)  # refuses sizes below 0 as formats with scales do
        return 0

    def stored_bits(self, rows: int, columns: int) -> int:
        return count_elements(rows, columns) * self.bits


def count_elements(rows: int, columns: int) -> int:
    """Elements of a (rows, columns) matrix.

    Raises
    ------
    FormatError : a size below 0
    """
    if rows < 0 or columns < 0:
        raise FormatError(f"a matrix has 0 or more rows and columns, got {rows} x {columns}")
    return rows * columns


def checked_codes(codes: ArrayLike, code_range: tuple[int, int], fmt: object) -> NDArray[np.int64]:
    """`codes` as int64.

    Raises
    ------
    FormatError : a code outside `code_range`, which is that of `fmt`
    """
    array = np.asarray(codes, dtype=np.int64)
    low, high = code_range
    outside = array[(array < low) | (array > high)]
    if outside.size:
        raise FormatError(f"code {outside.flat[0]} is outside {low}..{high} of {fmt}")
    return array

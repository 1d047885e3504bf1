"""How much memory a matrix takes: exact, with scales and what is cut off at the edges, for all formats alike."""

from __future__ import annotations

from hwsim.mapping.formats.base import FormatError
from hwsim.mapping.formats.scaled import TensorFormat


def stored_bits(fmt: TensorFormat, rows: int, columns: int) -> int:
    """Bits of a (rows, columns) matrix: elements packed, its scales and zero points beside them."""
    return fmt.stored_bits(rows, columns)


def stored_bytes(fmt: TensorFormat, rows: int, columns: int) -> int:
    """Bytes of a (rows, columns) matrix; the last may be filled in part."""
    return (fmt.stored_bits(rows, columns) + 7) // 8


def bits_per_element(fmt: TensorFormat, rows: int, columns: int) -> float:
    """Bits that an element of a (rows, columns) matrix takes with its share of the scales.

    Raises
    ------
    FormatError : a matrix without elements
    """
    if rows * columns == 0:
        raise FormatError(f"a matrix of {rows} x {columns} has no elements to share bits")
    return fmt.stored_bits(rows, columns) / (rows * columns)

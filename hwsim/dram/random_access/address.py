"""The place of an address: channel, bank, row and column, by a mapping that is data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.digits import NO_XOR, Digit, Part, parse_digits

Ints = NDArray[np.int64]


class DigitColumn(IntEnum):
    """Columns of `AddressMapping.table`."""

    SIZE = 0
    PART = 1
    WEIGHT = 2
    XOR_SHIFT = 3  # NO_XOR, or the row bit that is XORed to the digit's lowest


class Place(NamedTuple):
    """One column access; `bank` counts within the channel, over ranks and bank groups."""

    channel: int
    bank: int
    row: int
    column: int


@dataclass(frozen=True, kw_only=True)
class AddressMapping:
    """A mapping for a number of channels of a standard; every place has exactly one address of an access.

    Attributes
    ----------
    order : the mapping's words from the most to the least significant, above the bytes of an access (`parse_digits`)

    Raises
    ------
    DramError : words that do not fit the standard
    """

    name: str
    order: tuple[str, ...]
    standard: Standard
    channels: int

    def __post_init__(self) -> None:
        parse_digits(self.order, self.standard, self.channels)  # for its checks

    @cached_property
    def digits(self) -> tuple[Digit, ...]:
        """The least significant first."""
        return parse_digits(self.order, self.standard, self.channels)

    @property
    def capacity_bytes(self) -> int:
        return math.prod(digit.size for digit in self.digits) * self.standard.column_bytes

    def place(self, address: int) -> Place:
        """Place of one address in bytes, which must lie within the capacity."""
        rest = address // self.standard.column_bytes
        values = []
        for digit in self.digits:
            rest, value = divmod(rest, digit.size)
            values.append(value)
        numbers = self._numbers(values)
        row = numbers["row"]
        numbers = self._numbers(
            [
                value if digit.xor_shift == NO_XOR else value ^ (row >> digit.xor_shift) % digit.size
                for digit, value in zip(self.digits, values, strict=True)
            ]
        )
        bank = 0
        for level, count in self.standard.levels[1:]:
            bank = bank * count + numbers.get(level, 0)
        return Place(channel=numbers["channel"], bank=bank, row=row, column=numbers["column"])

    def _numbers(self, values: list[int]) -> dict[str, int]:
        """What the digits of each name make up together."""
        numbers = dict.fromkeys(("channel", "row", "column"), 0)
        for digit, value in zip(self.digits, values, strict=True):
            numbers[digit.name] = numbers.get(digit.name, 0) + value * digit.scale
        return numbers

    def address_of(self, place: Place) -> int:
        """The first address of the access at a place, which must exist."""
        address, weight = 0, self.standard.column_bytes
        for digit in self.digits:
            value = place[digit.part] // digit.weight(self.standard) % digit.size
            if digit.xor_shift != NO_XOR:
                value ^= (place.row >> digit.xor_shift) % digit.size
            address += value * weight
            weight *= digit.size
        return address

    def addresses_of(self, places: Ints) -> Ints:
        """The first addresses of the accesses at places, of shape (n, len(Part)); the same as `address_of`."""
        address = np.zeros(len(places), dtype=np.int64)
        weight = self.standard.column_bytes
        for size, part, scale, shift in self.table().tolist():
            _, value = _split(_split(places[:, part], scale)[0], size)
            if shift != NO_XOR:
                value = value ^ ((places[:, Part.ROW] >> shift) & (size - 1))
            address += value * weight
            weight *= size
        return address

    def table(self) -> Ints:
        """The digits for numba, of shape (digits, len(DigitColumn)), the least significant first.

        The lowest digit lies above the bytes of one access. A digit adds value x WEIGHT to its part (`Part`). With an
        XOR_SHIFT of 0 or more its value is first XORed with row >> XOR_SHIFT, as many bits as it has; the row's own
        digits have none.
        """
        rows = [[digit.size, digit.part, digit.weight(self.standard), digit.xor_shift] for digit in self.digits]
        return np.array(rows, dtype=np.int64).reshape(-1, len(DigitColumn))

    def places(self, addresses: Ints) -> Ints:
        """Places of shape (n, len(Part)); the same as `place`."""
        parts = np.zeros((len(Part), len(addresses)), dtype=np.int64)
        rest = addresses // self.standard.column_bytes
        permuted = []
        for size, part, weight, shift in self.table().tolist():
            rest, value = _split(rest, size)
            if shift == NO_XOR:
                parts[part] += value * weight
            else:
                permuted.append((size, part, weight, shift, value))
        for size, part, weight, shift, value in permuted:  # the row is whole only now
            parts[part] += (value ^ ((parts[Part.ROW] >> shift) & (size - 1))) * weight
        return parts.T


def _split(values: Ints, size: int) -> tuple[Ints, Ints]:
    """Quotient and remainder; with powers of two, shifts take a tenth of the time."""
    if size & (size - 1):
        return np.divmod(values, size)
    return values >> (size.bit_length() - 1), values & (size - 1)

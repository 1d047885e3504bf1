"""The place of an address: channel, bank, row and column, by a mapping that is data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.data_file import read_data
from hwsim.dram.device.standard import Standard
from hwsim.errors import DramError, nearest

Ints = NDArray[np.int64]
# Columns of encoded requests; `block` numbers the accesses of the whole memory and so identifies an address.
FIELDS = ("write", "channel", "bank", "row", "column", "block")


class Place(NamedTuple):
    """One column access; `bank` counts within the channel, over ranks and bank groups."""

    channel: int
    bank: int
    row: int
    column: int


@dataclass(frozen=True, kw_only=True)
class AddressMapping:
    """A mapping for a number of channels of a standard.

    Attributes
    ----------
    order : parts of an address from the most to the least significant, above the bytes of an access
    """

    name: str
    order: tuple[str, ...]
    standard: Standard
    channels: int

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        levels = dict(self.standard.levels)
        known = {"channel": self.channels, "row": self.standard.rows, "column": self.standard.columns}
        return tuple(known.get(part, levels.get(part, 1)) for part in self.order)

    @property
    def capacity_bytes(self) -> int:
        s = self.standard
        return self.channels * s.banks * s.rows * s.columns * s.column_bytes

    def place(self, address: int) -> Place:
        """Place of one address in bytes, which must lie within the capacity."""
        rest = address // self.standard.column_bytes
        part = dict.fromkeys(("rank", "bankgroup", "bank"), 0)
        for name, size in zip(reversed(self.order), reversed(self.sizes), strict=True):
            rest, part[name] = divmod(rest, size)
        levels = dict(self.standard.levels)
        bank = (part["rank"] * levels.get("bankgroup", 1) + part["bankgroup"]) * levels["bank"] + part["bank"]
        return Place(channel=part["channel"], bank=bank, row=part["row"], column=part["column"])

    def table(self) -> Ints:
        """(digits, 4) the parts of an address for the kernel: size, part, weight, xor shift."""
        levels = dict(self.standard.levels)
        weights = {"bank": 1, "bankgroup": levels["bank"], "rank": levels["bank"] * levels.get("bankgroup", 1)}
        parts = {"channel": 0, "row": 2, "column": 3}
        rows = [
            (size, parts.get(name, 1), weights.get(name, 1), -1)
            for name, size in zip(reversed(self.order), reversed(self.sizes), strict=True)
        ]
        return np.array(rows, dtype=np.int64)

    def encode(self, writes: NDArray[np.bool_], addresses: Ints) -> Ints:
        """Requests of shape (n, len(FIELDS)) for the fast player; the same places as `place`."""
        out = np.empty((len(addresses), len(FIELDS)), dtype=np.int64)
        block = addresses // self.standard.column_bytes
        zero = np.zeros_like(block)
        part = dict.fromkeys(("rank", "bankgroup", "bank", *self.order), zero)
        rest = block
        for name, size in zip(reversed(self.order), reversed(self.sizes), strict=True):
            if size > 1:
                rest, part[name] = _split(rest, size)
        levels = dict(self.standard.levels)
        out[:, 0] = writes
        out[:, 1] = part["channel"]
        out[:, 2] = (part["rank"] * levels.get("bankgroup", 1) + part["bankgroup"]) * levels["bank"] + part["bank"]
        out[:, 3] = part["row"]
        out[:, 4] = part["column"]
        out[:, 5] = block
        return out


def _split(values: Ints, size: int) -> tuple[Ints, Ints]:
    """Quotient and remainder; with powers of two, shifts take a tenth of the time."""
    if size & (size - 1):
        return np.divmod(values, size)
    return values >> (size.bit_length() - 1), values & (size - 1)


def mapping_names() -> tuple[str, ...]:
    return tuple(_document()["mappings"])


def load_mapping(name: str | None, standard: Standard, channels: int) -> AddressMapping:
    """A shipped mapping by name, or the default.

    Raises
    ------
    DramError : no such mapping (the message names the nearest)
    """
    shipped = _document()["mappings"]
    chosen = name or _document()["default_mapping"]
    if chosen not in shipped:
        raise DramError(f"no address mapping {chosen!r}{nearest(chosen, shipped)}")
    return AddressMapping(name=chosen, order=tuple(shipped[chosen]), standard=standard, channels=channels)


def _document() -> dict[str, Any]:
    document: dict[str, Any] = read_data("hwsim.dram.random_access", "controller.yaml")
    return document

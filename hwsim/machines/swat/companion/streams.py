"""Rows that move between HBM and a bank: on which channels they lie, and in which bursts they come.

Row i of a tensor lies on channel i mod `channels`, the rows of a channel one after the other, each from a whole column
access on. So a tile whose first row is a multiple of the channels is spread evenly: channel 0 has as many rows as any,
and equal channels do the same at the same time, which is why one is played for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

MOST_KEPT = 1 << 14


class Burst(NamedTuple):
    """Bytes within a block of a channel."""

    offset: int
    size: int


class Piece(NamedTuple):
    """Bytes that lie one after the other on a channel."""

    start: int
    size: int


@dataclass(frozen=True, eq=False)
class Bursts:
    """Bursts of one channel, one after the other; equal ones are one object."""

    items: tuple[Burst, ...]

    @cached_property
    def size_bytes(self) -> int:
        return sum(burst.size for burst in self.items)


class Share(NamedTuple):
    """What each of some channels moves."""

    channels: int
    bursts: Bursts


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How activations are spread: channels, the blocks that bursts stay within, and the bytes of a column access."""

    channels: int
    block_bytes: int
    column_bytes: int

    def whole(self, size: int) -> int:
        """Bytes of whole column accesses."""
        return -(-size // self.column_bytes) * self.column_bytes


class Stream(ABC):
    """Rows that are read or written tile by tile."""

    @property
    @abstractmethod
    def bank_row_bytes(self) -> int:
        """Bytes that a row takes in a bank."""

    @abstractmethod
    def shares(self, first: int, rows: int, layout: Layout) -> tuple[Share, ...]:
        """What the channels move of `rows` rows from `first` on; those that have most come first."""


@dataclass(frozen=True, kw_only=True)
class Rows(Stream):
    """Rows of a tensor, or neighbouring columns of them.

    Attributes
    ----------
    row_bytes : of each row, that move
    stride_bytes : of a row of the tensor; `first_byte` : of the columns in it
    group, every, begin, apart : where not all rows are meant: `group` rows of each `every`, from `begin` on and `apart`
        from each other; 0 for all
    """

    row_bytes: int
    stride_bytes: int
    first_byte: int = 0
    group: int = 0
    every: int = 0
    begin: int = 0
    apart: int = 1

    @property
    def bank_row_bytes(self) -> int:
        return self.row_bytes

    def index(self, row: int) -> int:
        """Number of a row in its tensor."""
        if not self.group:
            return row
        return row // self.group * self.every + self.begin + row % self.group * self.apart

    def shares(self, first: int, rows: int, layout: Layout) -> tuple[Share, ...]:
        if self.group:
            return _picked(map(self.index, range(first, first + rows)), self, layout)
        stride = layout.whole(self.stride_bytes)
        start = first // layout.channels * stride % layout.block_bytes
        return _even(self.row_bytes, stride, self.first_byte, start, rows, layout)


@dataclass(frozen=True, kw_only=True)
class Squares(Stream):
    """Rows of a grid, of which a square of `side` x `side` makes one row; read in the order in which they lie.

    Attributes
    ----------
    of : the grid's rows, one image after the other
    height, width : of the grid
    """

    of: Rows
    height: int
    width: int
    side: int

    @property
    def bank_row_bytes(self) -> int:
        return self.side**2 * self.of.row_bytes

    def shares(self, first: int, rows: int, layout: Layout) -> tuple[Share, ...]:
        wanted = sorted(number for square in range(first, first + rows) for number in self.members(square))
        return _picked(map(self.of.index, wanted), self.of, layout)

    def members(self, square: int) -> list[int]:
        """Rows of a square, by its number."""
        across = self.width // self.side
        image, place = divmod(square, across * (self.height // self.side))
        down, right = divmod(place, across)
        corner = image * self.height * self.width + down * self.side * self.width + right * self.side
        return [corner + i * self.width + j for i in range(self.side) for j in range(self.side)]


@dataclass(frozen=True, kw_only=True)
class LastOf(Stream):
    """A row that is written when the last of each `every` rows has passed."""

    of: Rows
    every: int

    @property
    def bank_row_bytes(self) -> int:
        return self.of.row_bytes

    def shares(self, first: int, rows: int, layout: Layout) -> tuple[Share, ...]:
        return _picked(range(first // self.every, (first + rows) // self.every), self.of, layout)


@dataclass(frozen=True, kw_only=True)
class Gathered(Stream):
    """Rows of tables at places that data decide, `lookups` for each row; each begins a block, and is dealt in turn."""

    row_bytes: int
    lookups: int

    @property
    def bank_row_bytes(self) -> int:
        return self.row_bytes * self.lookups

    def shares(self, first: int, rows: int, layout: Layout) -> tuple[Share, ...]:
        looked_up = rows * self.lookups
        stride = -(-self.row_bytes // layout.block_bytes) * layout.block_bytes
        return _even(self.row_bytes, stride, 0, 0, looked_up, layout)


@dataclass(frozen=True, kw_only=True)
class Packed(Stream):
    """Numbers of a few bytes, one a row, all on one channel."""

    row_bytes: int

    @property
    def bank_row_bytes(self) -> int:
        return self.row_bytes

    def shares(self, first: int, rows: int, layout: Layout) -> tuple[Share, ...]:
        return (Share(1, _cut([Piece(first * self.row_bytes, rows * self.row_bytes)], layout)),)


def _picked(numbers: Iterable[int], of: Rows, layout: Layout) -> tuple[Share, ...]:
    """Rows by their numbers in their tensor."""
    stride = layout.whole(of.stride_bytes)
    pieces: dict[int, list[Piece]] = {}
    for number in numbers:
        down, channel = divmod(number, layout.channels)
        pieces.setdefault(channel, []).append(Piece(down * stride + of.first_byte, of.row_bytes))
    counted = Counter(_cut(each, layout) for each in pieces.values())
    ordered = sorted(counted.items(), key=lambda share: -share[0].size_bytes)
    return tuple(Share(channels, bursts) for bursts, channels in ordered)


@lru_cache(maxsize=MOST_KEPT)
def _even(row_bytes: int, stride: int, first_byte: int, start: int, rows: int, layout: Layout) -> tuple[Share, ...]:
    """Rows dealt in turn: some channels have one more than the others."""
    least, more = divmod(rows, layout.channels)
    counts = [(more, least + 1), (layout.channels - more, least)]
    return tuple(
        Share(channels, _cut([Piece(start + i * stride + first_byte, row_bytes) for i in range(each)], layout))
        for channels, each in counts
        if channels and each
    )


def _cut(pieces: Iterable[Piece], layout: Layout) -> Bursts:
    """Pieces as bursts: whole column accesses, neighbours joined, cut where blocks end."""
    joined: list[Piece] = []
    for piece in pieces:
        start = piece.start // layout.column_bytes * layout.column_bytes
        size = layout.whole(piece.start + piece.size) - start
        if joined and joined[-1].start + joined[-1].size == start:
            size, start = size + joined[-1].size, joined.pop().start
        joined.append(Piece(start, size))
    bursts: list[Burst] = []
    for start, size in joined:
        first = start // layout.block_bytes * layout.block_bytes
        for block in range(first, start + size, layout.block_bytes):
            begin, end = max(start, block), min(start + size, block + layout.block_bytes)
            bursts.append(Burst(begin - block, end - begin))
    return _kept(tuple(bursts))


@lru_cache(maxsize=MOST_KEPT)
def _kept(bursts: tuple[Burst, ...]) -> Bursts:
    return Bursts(bursts)


def one_after_the_other(size: int, layout: Layout) -> tuple[Share, ...]:
    """So many bytes, spread evenly over all channels in whole column accesses; each begins a block."""
    accesses = -(-size // layout.column_bytes)
    return _even(layout.column_bytes, layout.column_bytes, 0, 0, accesses, layout)

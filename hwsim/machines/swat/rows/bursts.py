"""From the rows of memory that a stream reads or writes, one after the other, to the bursts of its DMA engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from hwsim.mapping.cores.plan import Ints


@dataclass(frozen=True, kw_only=True)
class RowsInMemory:
    """Where the rows of a matrix lie: row n at n * `row_bytes`; bursts stay within blocks of `block_bytes`.

    A row lies in one block: `per_block` of them are in each, and what is left of a block is unused.
    """

    row_bytes: int
    block_bytes: int

    def __post_init__(self) -> None:
        if not 1 <= self.row_bytes <= self.block_bytes:
            raise ValueError(f"a row of {self.row_bytes} B does not lie in a block of {self.block_bytes} B")

    @property
    def per_block(self) -> int:
        """Rows of a block."""
        return self.block_bytes // self.row_bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class Bursts:
    """The bursts of a stream, in the order in which they are asked for.

    Attributes
    ----------
    kinds : offset within a block and size of each sort of burst, in bytes
    kind : (bursts,) which sort each burst is
    ends : (bursts,) rows of all bursts up to and including each
    burst_of : (rows,) burst in which each row of the stream comes or goes
    """

    kinds: tuple[tuple[int, int], ...]
    kind: Ints
    ends: Ints
    burst_of: Ints

    @property
    def size_bytes(self) -> int:
        """Of all bursts."""
        sizes = np.array([size for _, size in self.kinds], dtype=np.int64)
        return int(sizes[self.kind].sum()) if len(self.kind) else 0


@dataclass
class _Open:
    """A burst that rows may still join."""

    number: int
    begun: int
    rows: list[int] = field(default_factory=list)


def bursts_of(rows: Iterable[int], memory: RowsInMemory, ahead: int = 1) -> Bursts:
    """Group rows that lie beside each other in a block and come within `ahead` rows of the stream.

    Bursts are in the order of their first rows. A buffer that holds `ahead` rows can therefore put the rows of a stream
    into order that interleaves several stretches of memory, such as those of a window and of random keys.

    Parameters
    ----------
    ahead : 1 for a stream whose rows are asked for as they come
    """
    made: list[_Open] = []
    joinable: dict[int, _Open] = {}  # by the row that would come next in memory
    burst_of: list[int] = []
    for position, row in enumerate(rows):
        burst = joinable.pop(row, None)
        fits = burst is not None and row % memory.per_block and position - burst.begun < max(ahead, memory.per_block)
        if burst is None or not fits or (ahead == 1 and burst is not made[-1]):
            burst = _Open(number=len(made), begun=position)
            made.append(burst)
        burst.rows.append(row)
        joinable[row + 1] = burst
        burst_of.append(burst.number)
    return _bursts(made, memory, burst_of)


def _bursts(made: list[_Open], memory: RowsInMemory, burst_of: list[int]) -> Bursts:
    sorts = [
        (burst.rows[0] % memory.per_block * memory.row_bytes, len(burst.rows) * memory.row_bytes) for burst in made
    ]
    kinds = tuple(dict.fromkeys(sorts))
    number = {kind: i for i, kind in enumerate(kinds)}
    return Bursts(
        kinds=kinds,
        kind=np.array([number[kind] for kind in sorts], dtype=np.int64),
        ends=np.cumsum([len(burst.rows) for burst in made], dtype=np.int64),
        burst_of=np.array(burst_of, dtype=np.int64),
    )

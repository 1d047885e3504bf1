"""The skewed order of Edge-MoE's attention: which query each slot holds while the keys stream by.

`slots` queries are processed at once. Instead of fetching `slots` queries between two passes over the keys, each slot
is refilled one row after the previous slot. So a row fetches at most one query, and the bandwidth does not grow with
the number of slots. A row is one key; a query stays in its slot for as many rows as there are keys, wrapping around
from the last key to the first of the next pass.

Golden models, contracts and tests take the order from here; `rtl.stream_blocks.skew` walks it in hardware.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SkewedRow:
    """One key against all slots.

    Attributes
    ----------
    block, key : which pass over the keys, and the key
    queries : the query in each slot, None in a masked one
    refill : the slot that fetches its query in this row (the slot's query is new), if any
    leaves : the slot whose query has seen all keys at the end of this row, if any
    """

    block: int
    key: int
    queries: tuple[int | None, ...]
    refill: int | None
    leaves: int | None

    @property
    def mask(self) -> tuple[bool, ...]:
        """Which slots hold a query."""
        return tuple(query is not None for query in self.queries)

    @property
    def mask_code(self) -> int:
        """The mask as a number, slot 0 lowest."""
        return sum(1 << slot for slot, valid in enumerate(self.mask) if valid)


def row_count(tokens: int, slots: int) -> int:
    """Rows for `tokens` queries and as many keys, until the last query has seen its last key."""
    return (tokens + slots - 1) // slots * tokens + (tokens + slots - 1) % slots if tokens else 0


def skewed_rows(tokens: int, slots: int) -> Iterator[SkewedRow]:
    """The rows in order; slot o holds query `slots b + o` from key o of block b to key o - 1 of block b + 1."""
    for row in range(row_count(tokens, slots)):
        block, key = divmod(row, tokens)
        held = [slots * (block if key >= slot else block - 1) + slot for slot in range(slots)]
        queries = tuple(query if 0 <= query < tokens else None for query in held)
        leaving = (key + 1) % tokens
        yield SkewedRow(
            block=block,
            key=key,
            queries=queries,
            refill=key if key < slots and queries[key] is not None else None,
            leaves=leaving if leaving < slots and queries[leaving] is not None else None,
        )

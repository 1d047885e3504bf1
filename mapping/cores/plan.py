"""What a pattern becomes on cores: passes of rows, and for each key the core that holds it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

BEFORE = -1  # loaded before the first row of its pass


@dataclass(frozen=True, kw_only=True, eq=False)
class Residencies:
    """Keys in cores, a column each: `core` computes with `key` for the rows `first` to `last`, and for all of them.

    Rows are counted in the order of their pass, from 0; `last` is included.

    Attributes
    ----------
    key, core, first, last : (residencies,)
    loaded : the row in whose LOAD stage the key's rows of K and V are loaded, into the bank of the core that the
        residency before does not use; `BEFORE` where that is before the first row
    """

    key: Ints
    core: Ints
    first: Ints
    last: Ints
    loaded: Ints

    def __post_init__(self) -> None:
        columns = (self.key, self.core, self.first, self.last, self.loaded)
        if len({column.shape for column in columns}) > 1 or self.key.ndim != 1:
            raise ValueError(f"columns of residencies differ in shape: {[column.shape for column in columns]}")
        _read_only(*columns)

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True, kw_only=True, eq=False)
class CorePass:
    """Rows that go through the cores one after the other.

    Attributes
    ----------
    rows : (rows,) positions of their queries among the keys, in the order in which they go. Query i of q stands at
        keys - q + i, which is negative where a cross-attention has more queries than keys
    carries_in, carries_out : (rows,) whether an earlier or a later pass computes other keys of the row, so that its
        numerators and its sum come from memory or go there undivided
    kinds : number of cores that are used, by the kind of pattern that they serve: `window`, `global`, `random`, ...
    """

    rows: Ints
    residencies: Residencies
    carries_in: Flags
    carries_out: Flags
    kinds: Mapping[str, int]

    def __post_init__(self) -> None:
        if not len(self.rows) == len(self.carries_in) == len(self.carries_out):
            raise ValueError(f"{len(self.rows)} rows, flags of {len(self.carries_in)} and {len(self.carries_out)}")
        _read_only(self.rows, self.carries_in, self.carries_out)

    @property
    def loads(self) -> Ints:
        """(rows,) rows of K and V that are loaded in the LOAD stage of each row."""
        loaded = self.residencies.loaded
        return np.bincount(loaded[loaded != BEFORE], minlength=len(self.rows)).astype(np.int64)

    @property
    def prologue(self) -> int:
        """Rows of K and V that are loaded before the first row."""
        return int(np.count_nonzero(self.residencies.loaded == BEFORE))

    @property
    def pairs(self) -> int:
        """Pairs of row and key that it computes."""
        held = self.residencies
        return int((held.last - held.first + 1).sum())

    def dump(self) -> str:
        """One line: rows, cores by kind, keys loaded before the first row and at most in one, partial rows."""
        rows = f"{len(self.rows)} rows, {self.rows[0]} to {self.rows[-1]}"
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.kinds.items())
        keys = f"{len(self.residencies)} keys, {self.prologue} before, up to {self.loads.max()} a row"
        partial = f"partial {np.count_nonzero(self.carries_in)} in, {np.count_nonzero(self.carries_out)} out"
        return f"{rows}; {kinds}; {keys}; {partial}"


@dataclass(frozen=True, kw_only=True, eq=False)
class CorePlan:
    """All passes of one head of attention; every pair of the pattern is in exactly one of them.

    Attributes
    ----------
    queries, keys : of a sequence; a query that sees no key is in no pass, and nothing is written for it
    order : in which the rows go, in words
    dropped, added : pairs of the exact pattern that are left out, and pairs that it does not have, where a window of
        the published form was asked for
    """

    queries: int
    keys: int
    cores: int
    order: str
    passes: tuple[CorePass, ...]
    dropped: int = 0
    added: int = 0

    @property
    def pairs(self) -> int:
        """Pairs of row and key that it computes."""
        return sum(each.pairs for each in self.passes)

    @property
    def loads(self) -> int:
        """Rows of K and V that it loads."""
        return sum(len(each.residencies) for each in self.passes)

    @property
    def rows_without_keys(self) -> int:
        """Queries that see no key."""
        rows = [each.rows for each in self.passes]
        return self.queries - (len(np.unique(np.concatenate(rows))) if rows else 0)

    def dump(self) -> str:
        """The plan as text: a line for it and a line a pass."""
        head = f"{self.queries} queries, {self.keys} keys, {self.cores} cores, {self.order} order"
        notes = {"pairs": self.pairs, "dropped": self.dropped, "added": self.added, "idle rows": self.rows_without_keys}
        told = ", ".join(f"{name} {count}" for name, count in notes.items() if count or name == "pairs")
        return "\n".join([f"{head}: {told}", *(f"  pass {i}: {each.dump()}" for i, each in enumerate(self.passes))])


def _read_only(*arrays: Ints | Flags) -> None:
    """Plans are kept and shared, so nobody may write into one."""
    for array in arrays:
        array.setflags(write=False)

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


@dataclass(frozen=True, kw_only=True, eq=False)
class CorePass:
    """Rows that go through the cores one after the other.

    Attributes
    ----------
    rows : (rows,) positions of their queries among the keys, in the order in which they go
    carries_in, carries_out : (rows,) whether an earlier or a later pass computes other keys of the row, so that its
        numerators and its sum come from memory or go there undivided
    kinds : number of cores that are used, by the kind of pattern that they serve: `window`, `global`, `random`, ...
    """

    rows: Ints
    residencies: Residencies
    carries_in: Flags
    carries_out: Flags
    kinds: Mapping[str, int]

    @property
    def loads(self) -> Ints:
        """(rows,) rows of K and V that are loaded in the LOAD stage of each row."""
        loaded = self.residencies.loaded
        return np.bincount(loaded[loaded != BEFORE], minlength=len(self.rows))

    @property
    def prologue(self) -> int:
        """Rows of K and V that are loaded before the first row."""
        return int(np.count_nonzero(self.residencies.loaded == BEFORE))

    @property
    def pairs(self) -> int:
        """Pairs of row and key that it computes."""
        held = self.residencies
        return int((held.last - held.first + 1).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class CorePlan:
    """All passes of one head of attention; every pair of the pattern is in exactly one of them.

    Attributes
    ----------
    queries, keys : of a sequence
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
        return sum(len(each.residencies.key) for each in self.passes)

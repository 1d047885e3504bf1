"""What is added to the score of a query and a key, by their places in a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.operators.relative_bias import RelativeBias
from hwsim.rtl.float_values import Floats
from hwsim.rtl.row_attention.golden import IDLE
from hwsim.verify.float64 import Values

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PairBiases:
    """The biases of a head, and which of them belongs to a pair."""

    places: RelativeBias
    table: Floats

    @classmethod
    def of(cls, places: RelativeBias | None, table: Floats) -> Self | None:
        """None for a head without."""
        return None if places is None else cls(places=places, table=table)

    def of_keys(self, query: int, keys: Ints) -> Values:
        """Those of a query with some keys."""
        return self.table[[self.places.entry(query, key) for key in keys.tolist()]].astype(np.float64)

    def of_cores(self, queries: Ints, key_rc: Ints) -> Floats:
        """(rows, cores) those of the key that each core holds for a row; 0 where it holds none."""
        found = np.zeros(key_rc.shape, dtype=self.table.dtype)
        rows, cores = np.nonzero(key_rc != IDLE)
        pairs = zip(queries[rows].tolist(), key_rc[rows, cores].tolist())
        found[rows, cores] = self.table[[self.places.entry(*pair) for pair in pairs]]
        return found

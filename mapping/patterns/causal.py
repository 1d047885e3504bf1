"""A query sees the keys up to its own position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.patterns.key_sets import Spans
from hwsim.mapping.patterns.pattern import Pattern


@dataclass(frozen=True, kw_only=True)
class Causal(Pattern):
    """A query sees its own position and all before it: n_q (n_k - n_q) + n_q (n_q + 1) / 2 pairs."""

    kind: ClassVar[str] = "causal"

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return key <= query

    @property
    def causal(self) -> bool:
        return True

    def keys(self, position: int, n_k: int) -> tuple[int, int]:
        return 0, min(position + 1, n_k)

    def _keys_of(self, query: int, n_k: int) -> Spans:
        return (self.keys(query, n_k),)

    def _rows(self, queries: range, n_k: int) -> Iterator[int]:
        return ((2 << query) - 1 for query in queries)

    def _pairs(self, queries: range, n_k: int) -> int:
        return len(queries) * (queries.start + queries.stop + 1) // 2

    def _union_keys(self, queries: range, n_k: int) -> int:
        return queries.stop if queries else 0

    def _causal_pairs(self, queries: range, n_k: int) -> int:
        return self._pairs(queries, n_k)

    def _causal_union_keys(self, queries: range, n_k: int) -> int:
        return self._union_keys(queries, n_k)

    def __str__(self) -> str:
        return self.kind

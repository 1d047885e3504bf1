"""A pattern over the tokens that follow others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns.key_sets import Spans
from hwsim.mapping.patterns.pattern import Pattern, at_least


@dataclass(frozen=True, kw_only=True)
class After(Pattern):
    """`pattern` over the positions from `count` on; those before it neither see nor are seen.

    For what stands in front of a grid or of blocks: a class token (`global(1) | after(1, window2d(14, 14, 7))` over
    197 tokens), memory slots.
    """

    kind: ClassVar[str] = "after"
    count: int
    pattern: Pattern

    def __post_init__(self) -> None:
        at_least(1, self.kind, count=self.count)
        if not isinstance(self.pattern, Pattern):
            raise PatternError(f"{self.kind}: needs a pattern, got {self.pattern!r}")

    def sees(self, query: int, key: int, n_k: int) -> bool:
        if query < self.count or key < self.count:
            return False
        return self.pattern.sees(query - self.count, key - self.count, n_k - self.count)

    @property
    def causal(self) -> bool:
        return self.pattern.causal

    @property
    def heads_period(self) -> int:
        return self.pattern.heads_period

    def of_head(self, head: int) -> Pattern:
        return replace(self, pattern=self.pattern.of_head(head))

    def _check_keys(self, n_k: int) -> None:
        if n_k < self.count:
            raise PatternError(f"{self}: needs at least {self.count} positions, got {n_k}")
        self.pattern._check_keys(n_k - self.count)

    def _keys_of(self, query: int, n_k: int) -> Spans:
        if query < self.count:
            return ()
        found = self.pattern._keys_of(query - self.count, n_k - self.count)
        return tuple((first + self.count, last + self.count) for first, last in found)

    def _rows(self, queries: range, n_k: int) -> Iterator[int]:
        moved = self._moved(queries)
        yield from [0] * (len(queries) - len(moved))
        for row in self.pattern._rows(moved, n_k - self.count):
            yield row << self.count

    def _pairs(self, queries: range, n_k: int) -> int:
        return self.pattern._pairs(self._moved(queries), n_k - self.count)

    def _union_keys(self, queries: range, n_k: int) -> int:
        return self.pattern._union_keys(self._moved(queries), n_k - self.count)

    def _causal_pairs(self, queries: range, n_k: int) -> int:
        return self.pattern._causal_pairs(self._moved(queries), n_k - self.count)

    def _causal_union_keys(self, queries: range, n_k: int) -> int:
        return self.pattern._causal_union_keys(self._moved(queries), n_k - self.count)

    def _moved(self, queries: range) -> range:
        """Where the queries stand in the inner pattern, without those before it."""
        return range(max(0, queries.start - self.count), max(0, queries.stop - self.count))

    def __str__(self) -> str:
        return self._text(self.count, self.pattern)

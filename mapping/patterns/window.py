"""A sliding window: keys near the query, all or every so many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from hwsim.mapping.patterns.key_sets import Spans, comb, spans
from hwsim.mapping.patterns.pattern import Pattern, at_least


@dataclass(frozen=True, kw_only=True)
class Window(Pattern):
    """A query sees `left` keys before its position, its own, and `right` keys after it.

    Attributes
    ----------
    left, right : keys on each side, as far as there are any
    dilation : distance between keys that a query sees; 1 leaves none out
    """

    kind: ClassVar[str] = "window"
    left: int
    right: int = 0
    dilation: int = 1

    def __post_init__(self) -> None:
        at_least(0, self.kind, left=self.left, right=self.right)
        at_least(1, self.kind, dilation=self.dilation)

    def sees(self, query: int, key: int, n_k: int) -> bool:
        steps, rest = divmod(key - query, self.dilation)
        return rest == 0 and -self.left <= steps <= self.right

    @property
    def causal(self) -> bool:
        return self.right == 0

    def keys(self, position: int, n_k: int) -> tuple[int, int]:
        if self.dilation != 1:
            return super().keys(position, n_k)
        return max(0, position - self.left), min(n_k, position + self.right + 1)

    def _keys_of(self, query: int, n_k: int) -> Spans:
        if self.dilation == 1:
            return (self.keys(query, n_k),)
        before = min(self.left, query // self.dilation)
        last = min(n_k, query + self.right * self.dilation + 1)
        return spans((range(query - before * self.dilation, last, self.dilation),))

    def _rows(self, queries: range, n_k: int) -> Iterator[int]:
        longest = n_k // self.dilation  # more keys than that on one side are never seen
        left, right = min(self.left, longest), min(self.right, longest)
        window, every = comb(left + right + 1, self.dilation), (1 << n_k) - 1
        reach_left, reach_right = left * self.dilation, right * self.dilation
        for query in queries:
            first = query - reach_left
            row = window << first if first >= 0 else window >> -first
            yield row & every if query + reach_right >= n_k else row

    def _pairs(self, queries: range, n_k: int) -> int:
        before = self._sum(self.left, queries.stop) - self._sum(self.left, queries.start)
        after = self._sum(self.right, n_k - queries.start) - self._sum(self.right, n_k - queries.stop)
        return len(queries) + before + after

    def _union_keys(self, queries: range, n_k: int) -> int:
        """The queries, the keys before the first query of each residue modulo `dilation`, those after its last."""
        residues = min(self.dilation, len(queries))
        room_before, room_after = queries.start, n_k - queries.stop
        before = self._sum(self.left, room_before + residues) - self._sum(self.left, room_before)
        after = self._sum(self.right, room_after + residues) - self._sum(self.right, room_after)
        return len(queries) + before + after

    def _causal_pairs(self, queries: range, n_k: int) -> int:
        return replace(self, right=0)._pairs(queries, n_k)

    def _causal_union_keys(self, queries: range, n_k: int) -> int:
        return replace(self, right=0)._union_keys(queries, n_k)

    def _sum(self, limit: int, distances: int) -> int:
        """Keys on one side, summed over queries at 0 ... distances - 1 from that side's end of the sequence.

        A query at distance x finds x // dilation keys there and takes `limit` of them at most.
        """
        near = min(distances, limit * self.dilation)
        whole, rest = divmod(near, self.dilation)
        return self.dilation * whole * (whole - 1) // 2 + whole * rest + limit * (distances - near)

    def __str__(self) -> str:
        return self._text(self.left, self.right, dilation=self.dilation)

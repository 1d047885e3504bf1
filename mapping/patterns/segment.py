"""Segments that see only themselves, and the tokens that stand for them, which see each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns.pattern import at_least
from hwsim.mapping.patterns.tiles import Tile, Tiled, block, blocks_of


@dataclass(frozen=True, kw_only=True)
class _Segments(Tiled):
    """Positions in segments of `size`, all whole."""

    size: int

    def __post_init__(self) -> None:
        at_least(1, self.kind, size=self.size)

    def _check_keys(self, n_k: int) -> None:
        if n_k % self.size:
            raise PatternError(f"{self}: {n_k} tokens are no whole number of segments of {self.size}")

    def __str__(self) -> str:
        return self._text(self.size)


@dataclass(frozen=True, kw_only=True)
class Segment(_Segments):
    """A query sees its own segment: N size pairs of N tokens.

    Source: segment-wise encoder of the Hierarchical Attention Transformer (HAT).
    """

    kind: ClassVar[str] = "segment"

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return query // self.size == key // self.size

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        for index in blocks_of(queries, self.size):
            members = (block(index, self.size, n_k),)
            yield Tile(queries=members, keys=members)


@dataclass(frozen=True, kw_only=True)
class CrossSegment(_Segments):
    """The first token of each segment stands for it and sees those of all segments; other tokens see nothing.

    N tokens have (N / size)^2 pairs. In the union with `Segment` the pairs of each such token with itself, N / size,
    are in both sets and count once.

    Source: cross-segment encoder of HAT.
    """

    kind: ClassVar[str] = "cross_segment"

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return query % self.size == 0 and key % self.size == 0

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        members = (range(0, n_k, self.size),)
        yield Tile(queries=members, keys=members)

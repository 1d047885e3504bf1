"""Patterns whose queries fall into groups that see the same keys: closed forms over groups instead of queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hwsim.mapping.patterns.key_sets import Spans, bits, clip, pairs_up_to, size, spans
from hwsim.mapping.patterns.pattern import Pattern


@dataclass(frozen=True, kw_only=True)
class Tile:
    """Queries that all see the same keys: a rectangle of the mask, once its rows and columns are sorted.

    Attributes
    ----------
    queries, keys : ascending ranges that share no position
    """

    queries: tuple[range, ...]
    keys: tuple[range, ...]


@dataclass(frozen=True, kw_only=True)
class Tiled(Pattern):
    """A pattern made of tiles, in which each query belongs to one tile at most.

    A kind states `_tiles`; sizes of tiles and sums over them are then the closed forms.
    """

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        """At least the tiles to which some of `queries` belong; their other queries may be among them."""
        raise NotImplementedError

    def _keys_of(self, query: int, n_k: int) -> Spans:
        for tile, _ in self._clipped(range(query, query + 1), n_k):
            return spans(tile.keys)
        return ()

    def _rows(self, queries: range, n_k: int) -> Iterator[int]:
        rows = [0] * len(queries)
        for tile, parts in self._clipped(queries, n_k):
            row = bits(tile.keys)
            for part in parts:
                first = part.start - queries.start
                rows[first : part[-1] + 1 - queries.start : part.step] = [row] * len(part)
        return iter(rows)

    def _pairs(self, queries: range, n_k: int) -> int:
        return sum(size(parts) * size(tile.keys) for tile, parts in self._clipped(queries, n_k))

    def _union_keys(self, queries: range, n_k: int) -> int:
        seen = 0
        for tile, _ in self._clipped(queries, n_k):
            seen |= bits(tile.keys)
        return seen.bit_count()

    def _causal_pairs(self, queries: range, n_k: int) -> int:
        return sum(
            pairs_up_to(part, keys)
            for tile, parts in self._clipped(queries, n_k)
            for part in parts
            for keys in tile.keys
        )

    def _causal_union_keys(self, queries: range, n_k: int) -> int:
        seen = 0
        for tile, parts in self._clipped(queries, n_k):
            last_query = max(part[-1] for part in parts)
            seen |= bits(clip(keys, 0, last_query + 1) for keys in tile.keys)
        return seen.bit_count()

    def _clipped(self, queries: range, n_k: int) -> Iterator[tuple[Tile, list[range]]]:
        """Tiles with those of their queries that are asked for, where there are any."""
        for tile in self._tiles(queries, n_k):
            parts = [part for whole in tile.queries if (part := clip(whole, queries.start, queries.stop))]
            if parts:
                yield tile, parts


def block(index: int, length: int, n_k: int) -> range:
    """Positions of block `index`; the last block ends where the keys end."""
    return range(index * length, min((index + 1) * length, n_k))


def blocks_of(queries: range, length: int) -> range:
    """Indices of the blocks in which queries stand."""
    return range(queries.start // length, (queries.stop - 1) // length + 1) if queries else range(0)

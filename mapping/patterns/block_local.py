"""Blocks of positions that see their own block and neighbouring ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.patterns.pattern import at_least
from hwsim.mapping.patterns.tiles import Tile, Tiled, blocks_of


@dataclass(frozen=True, kw_only=True)
class BlockLocal(Tiled):
    """A query sees its own block of `size` positions, `back` blocks before it and `forward` after it.

    Blocks count from position 0, and the last one is as short as the keys leave it: a decoder's grows token by token.

    Source: local attention of Reformer (chunks of 128, one back), of the Routing Transformer, and BigBird's
    window of three blocks.
    """

    kind: ClassVar[str] = "block_local"
    size: int
    back: int
    forward: int = 0

    def __post_init__(self) -> None:
        at_least(1, self.kind, size=self.size)
        at_least(0, self.kind, back=self.back, forward=self.forward)

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return -self.back <= key // self.size - query // self.size <= self.forward

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        for index in blocks_of(queries, self.size):
            first, last = (index - self.back) * self.size, (index + self.forward + 1) * self.size
            yield Tile(
                queries=(range(index * self.size, (index + 1) * self.size),),
                keys=(range(max(0, first), min(last, n_k)),),
            )

    def __str__(self) -> str:
        return self._text(self.size, self.back, forward=self.forward)

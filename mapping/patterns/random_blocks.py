"""Blocks of keys drawn for each block of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import ClassVar

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns.pattern import at_least
from hwsim.mapping.patterns.tiles import Tile, Tiled, block, blocks_of


@dataclass(frozen=True, kw_only=True)
class RandomBlocks(Tiled):
    """Each block of queries sees `blocks` blocks of keys, drawn without repetition.

    Not drawn are blocks that other parts of such patterns grant anyway: the block of the queries with `near`
    neighbours on either side, the `first` and the `last` blocks of the sequence. A draw depends on the seed, the
    position of the query block and the number of key blocks, and on nothing else: a step with few queries sees what
    they would see in a step with all. All heads share it; another seed gives a head its own.

    Attributes
    ----------
    blocks : key blocks that a query block sees
    block : positions in a block; the last one may be short
    near, first, last : blocks not drawn; the defaults are BigBird's, whose window has three blocks and whose first
        and last block are global

    Source: BigBird.
    """

    kind: ClassVar[str] = "random_blocks"
    blocks: int
    block: int
    seed: int
    near: int = 1
    first: int = 1
    last: int = 1

    def __post_init__(self) -> None:
        at_least(1, self.kind, blocks=self.blocks, block=self.block)
        at_least(0, self.kind, seed=self.seed, near=self.near, first=self.first, last=self.last)

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return key // self.block in self.drawn(query // self.block, n_k)

    def drawn(self, query_block: int, n_k: int) -> tuple[int, ...]:
        """The key blocks that a query block sees, ascending."""
        return _draw(self, query_block, -(-n_k // self.block))

    def eligible(self, query_block: int, n_blocks: int) -> tuple[range, range]:
        """The key blocks from which is drawn: those before the near ones and those after them."""
        low, high = self.first, max(self.first, n_blocks - self.last)
        before = range(low, min(high, max(low, query_block - self.near)))
        return before, range(max(low, query_block + self.near + 1), high)

    def _check_keys(self, n_k: int) -> None:
        """The block in the middle has most near blocks to leave out, and must still find enough others."""
        n_blocks = -(-n_k // self.block)
        if n_blocks == 0:
            return
        middle = min(max(0, (self.first + n_blocks - self.last) // 2), n_blocks - 1)
        found = sum(map(len, self.eligible(middle, n_blocks)))
        if found < self.blocks:
            raise PatternError(
                f"{self}: block {middle} of {n_blocks} finds {found} that are not near, first or last, "
                f"needs {self.blocks}"
            )

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        for index in blocks_of(queries, self.block):
            keys = tuple(block(key_block, self.block, n_k) for key_block in self.drawn(index, n_k))
            yield Tile(queries=(block(index, self.block, n_k),), keys=keys)

    def __str__(self) -> str:
        return self._text(
            self.blocks, self.block, f"seed={self.seed}", near=self.near, first=self.first, last=self.last
        )


@lru_cache(maxsize=1 << 14)
def _draw(pattern: RandomBlocks, query_block: int, n_blocks: int) -> tuple[int, ...]:
    """A shuffle of the eligible blocks, broken off when enough are drawn.

    Of Python's generator only `random()` is used, whose sequence is promised to stay the same in later versions.
    """
    before, after = pattern.eligible(query_block, n_blocks)
    generator = Random(f"random_blocks {pattern.seed} {query_block}")
    moved: dict[int, int] = {}  # the shuffled list, where it differs from 0, 1, 2, ...
    drawn = []
    for place in range(pattern.blocks):
        other = place + int(generator.random() * (len(before) + len(after) - place))
        index = moved.get(other, other)
        moved[other] = moved.get(place, place)
        drawn.append(before[index] if index < len(before) else after[index - len(before)])
    return tuple(sorted(drawn))

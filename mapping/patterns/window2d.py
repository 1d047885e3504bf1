"""Windows of an image, with the cyclic shift of every other layer of Swin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns.pattern import at_least
from hwsim.mapping.patterns.tiles import Tile, Tiled, blocks_of


@dataclass(frozen=True, kw_only=True)
class Window2d(Tiled):
    """A query sees its window of a grid of height x width tokens, which lie row by row.

    Swin rolls the grid by `shift` rows and columns towards the origin, cuts it into windows, and masks within each
    window what does not lie together in the unrolled grid. That is the same as cutting the unrolled grid at
    shift, shift + window, ... in both directions, which leaves shorter windows along the edges.

    Attributes
    ----------
    window : height and width of a window; divides those of the grid
    shift : below window; 0 in the layers that do not shift

    Source: Swin Transformer, section 3.2.
    """

    kind: ClassVar[str] = "window2d"
    height: int
    width: int
    window: int
    shift: int = 0

    def __post_init__(self) -> None:
        at_least(1, self.kind, height=self.height, width=self.width, window=self.window)
        at_least(0, self.kind, shift=self.shift)
        if self.height % self.window or self.width % self.window:
            raise PatternError(
                f"{self.kind}: a grid of {self.height} x {self.width} is not cut evenly by windows of {self.window}"
            )
        if self.shift >= self.window:
            raise PatternError(f"{self.kind}: shift {self.shift} must be below window {self.window}")

    def sees(self, query: int, key: int, n_k: int) -> bool:
        """As Swin does it: roll, cut into windows, compare regions."""
        return all(
            self._rolled(one, extent) == self._rolled(other, extent)
            for one, other, extent in zip(
                divmod(query, self.width), divmod(key, self.width), (self.height, self.width), strict=True
            )
        )

    def _rolled(self, coordinate: int, extent: int) -> tuple[int, bool]:
        """Window of a coordinate after the roll, and whether the roll brought it round to the far end."""
        rolled = (coordinate - self.shift) % extent
        return rolled // self.window, rolled >= extent - self.shift

    def _check_keys(self, n_k: int) -> None:
        if n_k != self.height * self.width:
            raise PatternError(
                f"{self}: a grid of {self.height} x {self.width} is {self.height * self.width} tokens, got {n_k}"
            )

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        touched = blocks_of(queries, self.width)  # rows of the grid
        for rows in self._pieces(self.height):
            if rows.start >= touched.stop or rows.stop <= touched.start:
                continue
            for columns in self._pieces(self.width):
                members = tuple(range(y * self.width + columns.start, y * self.width + columns.stop) for y in rows)
                yield Tile(queries=members, keys=members)

    def _pieces(self, extent: int) -> list[range]:
        """The coordinates that stay together in one direction."""
        cuts = [*({0} if self.shift else ()), *range(self.shift, extent, self.window), extent]
        return [range(first, last) for first, last in pairwise(cuts)]

    def __str__(self) -> str:
        return self._text(self.height, self.width, self.window, shift=self.shift)

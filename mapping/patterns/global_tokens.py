"""Some tokens see all, and all see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns.key_sets import Spans, join
from hwsim.mapping.patterns.pattern import at_least
from hwsim.mapping.patterns.tiles import Tile, Tiled


@dataclass(frozen=True, kw_only=True)
class GlobalTokens(Tiled):
    """g tokens see every key and are seen by every query: 2 N g - g^2 pairs of N tokens.

    Tokens that are seen by all and see no more than others do are `MemorySlots`.

    Attributes
    ----------
    count : global tokens at the beginning of the sequence
    last : global tokens at its end
    positions : further ones, ascending

    Source: Longformer (tokens of the task), BigBird (first and last block).
    """

    kind: ClassVar[str] = "global"
    count: int = 0
    last: int = 0
    positions: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        at_least(0, self.kind, count=self.count, last=self.last)
        if not isinstance(self.positions, tuple):
            raise PatternError(f"{self.kind}: positions must be a tuple, got {self.positions!r}")
        for position in self.positions:
            at_least(0, self.kind, position=position)
        if list(self.positions) != sorted(set(self.positions)):
            raise PatternError(f"{self.kind}: positions must ascend, got {self._listed}")
        if not (self.count or self.last or self.positions):
            raise PatternError(f"{self.kind}: needs a count, last or positions, or no token is global")

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return self._is_global(query, n_k) or self._is_global(key, n_k)

    def _is_global(self, position: int, n_k: int) -> bool:
        return position < self.count or position >= n_k - self.last or position in self.positions

    def _check_keys(self, n_k: int) -> None:
        need = max(self.count, self.last, *(position + 1 for position in self.positions[-1:]))
        if need > n_k:
            raise PatternError(f"{self}: needs at least {need} tokens, got {n_k}")

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        everywhere = self.chosen(n_k)
        ends = (0, *(end for span in everywhere for end in span), n_k)  # where the tokens between them begin and end
        chosen = tuple(range(*span) for span in everywhere)
        yield Tile(queries=chosen, keys=(range(n_k),))
        yield Tile(queries=tuple(range(*gap) for gap in zip(ends[::2], ends[1::2])), keys=chosen)

    def chosen(self, n_k: int) -> Spans:
        """The global tokens, as spans."""
        singles = ((position, position + 1) for position in self.positions)
        return join([(0, self.count), (n_k - self.last, n_k), *singles])

    @property
    def _listed(self) -> str:
        return f"({', '.join(map(str, self.positions))})"

    def __str__(self) -> str:
        options = {"last": self.last} | ({"positions": self._listed} if self.positions else {})
        return self._text(*([self.count] if self.count else []), **options)

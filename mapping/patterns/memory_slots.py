"""Keys in front of the sequence that every query sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns.pattern import at_least
from hwsim.mapping.patterns.tiles import Tile, Tiled


@dataclass(frozen=True, kw_only=True)
class MemorySlots(Tiled):
    """Every query sees the first `count` keys: n_q count pairs.

    The slots are keys 0 ... count - 1 and `n_k` counts them: T tokens with their slots have n_k = count + T, and
    tokens begin at position count. Slots ask nothing, so n_q counts tokens alone and all queries stand after the
    slots, which is why the pattern is causal. A pattern over the tokens, whose blocks or grid must not count the
    slots, is moved with `After`: `memory_slots(16) | after(16, block_local(64, 1))`.

    Tokens that all others see but that see as any other (attention sinks) are the same set.
    """

    kind: ClassVar[str] = "memory_slots"
    count: int

    def __post_init__(self) -> None:
        at_least(1, self.kind, count=self.count)

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return key < self.count

    @property
    def causal(self) -> bool:
        return True

    @property
    def static(self) -> bool:
        return True

    def _check_keys(self, n_k: int) -> None:
        if n_k < self.count:
            raise PatternError(f"{self}: {n_k} keys cannot hold {self.count} slots, which they count")

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        yield Tile(queries=(queries,), keys=(range(self.count),))

    def __str__(self) -> str:
        return self._text(self.count)

"""Every query sees every key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.patterns.tiles import Tile, Tiled


@dataclass(frozen=True, kw_only=True)
class Full(Tiled):
    """Every query sees every key: n_q n_k pairs."""

    kind: ClassVar[str] = "full"

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return True

    @property
    def static(self) -> bool:
        return True

    def keys(self, position: int, n_k: int) -> tuple[int, int]:
        return 0, n_k

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        yield Tile(queries=(queries,), keys=(range(n_k),))

    def __str__(self) -> str:
        return self.kind

"""Every so many keys, and heads that share the keys out among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns.pattern import Pattern, at_least
from hwsim.mapping.patterns.tiles import Tile, Tiled


@dataclass(frozen=True, kw_only=True)
class Strided(Tiled):
    """Every query sees the keys offset, offset + stride, offset + 2 stride, ...: what one of `StridedHeads` sees."""

    kind: ClassVar[str] = "strided"
    stride: int
    offset: int = 0

    def __post_init__(self) -> None:
        at_least(1, self.kind, stride=self.stride)
        at_least(0, self.kind, offset=self.offset)
        if self.offset >= self.stride:
            raise PatternError(f"{self.kind}: offset {self.offset} must be below stride {self.stride}")

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return key % self.stride == self.offset

    @property
    def static(self) -> bool:
        return True

    def _check_keys(self, n_k: int) -> None:
        if n_k <= self.offset:
            raise PatternError(f"{self}: the first key that it sees, {self.offset}, is not among {n_k} keys")

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        yield Tile(queries=(queries,), keys=(range(self.offset, n_k, self.stride),))

    def __str__(self) -> str:
        return self._text(self.stride, self.offset)


@dataclass(frozen=True, kw_only=True)
class StridedHeads(Pattern):
    """Head h sees the keys k with k mod stride = h mod stride: n_q n_k / stride pairs a head.

    As heads differ, it is no set of pairs before `of_head` says which head is meant; `pairs_of_heads` and
    `union_keys_of_heads` ask all of them.

    Source: head-wise positional strides of Hepos (cross-attention over long sources).
    """

    kind: ClassVar[str] = "strided_heads"
    stride: int

    def __post_init__(self) -> None:
        at_least(1, self.kind, stride=self.stride)

    def sees(self, query: int, key: int, n_k: int) -> bool:
        raise self._differs()

    @property
    def static(self) -> bool:
        return True

    @property
    def heads_period(self) -> int:
        return self.stride

    def of_head(self, head: int) -> Pattern:
        super().of_head(head)
        return Strided(stride=self.stride, offset=head % self.stride)

    def _check_keys(self, n_k: int) -> None:
        raise self._differs()

    def _differs(self) -> PatternError:
        return PatternError(f"{self}: heads see different keys; ask for those of one head or of all heads together")

    def __str__(self) -> str:
        return self._text(self.stride)

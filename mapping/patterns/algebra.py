"""Union and intersection of patterns, exact for any two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from math import lcm
from operator import and_, or_
from typing import ClassVar

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns.causal import Causal
from hwsim.mapping.patterns.key_sets import Spans, join, meet
from hwsim.mapping.patterns.pattern import Pattern


@dataclass(frozen=True, kw_only=True)
class Combined(Pattern):
    """What union and intersection have in common.

    Attributes
    ----------
    parts : at least two different patterns, none of them of the same class as the whole; `combine` makes it so
    """

    parts: tuple[Pattern, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2 or len(set(self.parts)) < len(self.parts):
            raise PatternError(f"{self.kind}: needs two different patterns or more, got {len(set(self.parts))}")
        if any(type(part) is type(self) for part in self.parts):
            raise PatternError(f"{self.kind}: parts must not be such again; combine patterns with | and &")

    @property
    def static(self) -> bool:
        return all(part.static for part in self.parts)

    @property
    def heads_period(self) -> int:
        return lcm(*(part.heads_period for part in self.parts))

    def of_head(self, head: int) -> Pattern:
        super().of_head(head)
        return combine(type(self), *(part.of_head(head) for part in self.parts))

    def _check_keys(self, n_k: int) -> None:
        for part in self.parts:
            part._check_keys(n_k)


@dataclass(frozen=True, kw_only=True)
class Union(Combined):
    """The pairs of at least one part, each counted once."""

    kind: ClassVar[str] = "union"

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return any(part.sees(query, key, n_k) for part in self.parts)

    @property
    def causal(self) -> bool:
        return all(part.causal for part in self.parts)

    def _keys_of(self, query: int, n_k: int) -> Spans:
        return join(chain.from_iterable(part._keys_of(query, n_k) for part in self.parts))

    def _rows(self, queries: range, n_k: int) -> Iterator[int]:
        return reduce(lambda one, other: map(or_, one, other), (part._rows(queries, n_k) for part in self.parts))

    def __str__(self) -> str:
        return " | ".join(map(str, self.parts))


@dataclass(frozen=True, kw_only=True)
class Intersection(Combined):
    """The pairs that all parts have; what is left of one pattern under `causal` has its closed form there."""

    kind: ClassVar[str] = "intersection"

    def sees(self, query: int, key: int, n_k: int) -> bool:
        return all(part.sees(query, key, n_k) for part in self.parts)

    @property
    def causal(self) -> bool:
        return any(part.causal for part in self.parts)

    def _keys_of(self, query: int, n_k: int) -> Spans:
        return reduce(meet, (part._keys_of(query, n_k) for part in self.parts))

    def _rows(self, queries: range, n_k: int) -> Iterator[int]:
        return reduce(lambda one, other: map(and_, one, other), (part._rows(queries, n_k) for part in self.parts))

    def _pairs(self, queries: range, n_k: int) -> int:
        alone = self._alone_under_causal
        return super()._pairs(queries, n_k) if alone is None else alone._causal_pairs(queries, n_k)

    def _union_keys(self, queries: range, n_k: int) -> int:
        alone = self._alone_under_causal
        return super()._union_keys(queries, n_k) if alone is None else alone._causal_union_keys(queries, n_k)

    @property
    def _alone_under_causal(self) -> Pattern | None:
        """The other of two parts, where one of them is causal."""
        others = [part for part in self.parts if not isinstance(part, Causal)]
        return others[0] if len(others) == 1 else None

    def __str__(self) -> str:
        return " & ".join(f"({part})" if isinstance(part, Union) else str(part) for part in self.parts)


def combine(how: type[Combined], *patterns: Pattern) -> Pattern:
    """Union or intersection of patterns: nested ones become one, repeated parts go, a single part is itself."""
    parts = dict.fromkeys(
        chain.from_iterable(pattern.parts if isinstance(pattern, how) else (pattern,) for pattern in patterns)
    )
    return how(parts=tuple(parts)) if len(parts) > 1 else next(iter(parts))

"""What an attention pattern is: a set of (query, key) pairs, asked for its size, its keys and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache, reduce
from operator import or_
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns.key_sets import Spans


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A set of (query, key) pairs over positions 0 ... n_k - 1.

    In self-attention the queries are the last `n_q` of the `n_k` positions: query i stands at n_k - n_q + i, so
    n_q <= n_k. A pattern is *static* where the keys that a query sees do not depend on its position (full, strided,
    memory_slots, and what is made of these alone); only such a pattern says something about queries of another
    sequence (cross-attention), and for it n_q may exceed n_k. `check_cross` holds to that.

    `a | b` is the union of two patterns, `a & b` their intersection; `str` gives the text that `parse_pattern` reads.

    A new kind states `sees`, `_keys_of` and `__str__`, and `_check_keys` where not every n_k fits; everything else
    then works, counted query by query. Closed forms override what they are closed forms of. Kinds whose queries
    fall into groups with the same keys are `Tiled` and get their closed forms there.
    """

    kind: ClassVar[str]

    # What a kind says. `queries` are consecutive positions.

    def sees(self, query: int, key: int, n_k: int) -> bool:
        """The definition: whether the query at position `query` sees position `key` of `n_k`."""
        raise NotImplementedError

    @property
    def causal(self) -> bool:
        """Whether the definition lets no query see a key after its own position; memory slots stand before all."""
        return False

    @property
    def static(self) -> bool:
        """Whether every query sees the same keys, wherever it stands."""
        return False

    def _check_keys(self, n_k: int) -> None:
        """Raise PatternError where the pattern does not fit `n_k` keys."""

    def _keys_of(self, query: int, n_k: int) -> Spans:
        """The keys of one query."""
        raise NotImplementedError

    def _rows(self, queries: range, n_k: int) -> Iterator[int]:
        """For each query its keys as bits of an integer."""
        for query in queries:
            yield sum((1 << last) - (1 << first) for first, last in self._keys_of(query, n_k))

    def _pairs(self, queries: range, n_k: int) -> int:
        return _counted(self, queries, n_k, False)[0]

    def _union_keys(self, queries: range, n_k: int) -> int:
        return _counted(self, queries, n_k, False)[1]

    def _causal_pairs(self, queries: range, n_k: int) -> int:
        """The pairs that are left in the intersection with causal."""
        return _counted(self, queries, n_k, True)[0]

    def _causal_union_keys(self, queries: range, n_k: int) -> int:
        return _counted(self, queries, n_k, True)[1]

    # What callers ask.

    def check(self, n_q: int, n_k: int) -> None:
        """Say where the pattern does not fit.

        Raises
        ------
        PatternError : a negative number; more queries than positions; a pattern beyond the keys
        """
        if n_q < 0 or n_k < 0:
            raise PatternError(f"{self}: numbers of queries and keys must not be negative, got {n_q} and {n_k}")
        if n_q > n_k and not self.static:
            raise PatternError(f"{self}: {n_q} queries need at least as many positions, got {n_k}")
        self._check_keys(n_k)

    def check_cross(self, n_q: int, n_k: int) -> None:
        """`check` for queries of another sequence than the keys.

        Where both sequences are equally long, query i stands at key i, and any pattern has a meaning.

        Raises
        ------
        PatternError : a pattern that goes by positions, over sequences of unlike length
        """
        if n_q != n_k and not self.static:
            raise PatternError(
                f"{self}: goes by positions, which {n_q} queries of another sequence do not have among {n_k} keys; "
                "cross-attention takes full, strided or memory_slots"
            )
        self.check(n_q, n_k)

    def pairs(self, n_q: int, n_k: int) -> int:
        """Number of (query, key) pairs of one head."""
        self.check(n_q, n_k)
        return self._pairs(range(n_k - n_q, n_k), n_k)

    def union_keys(self, n_q: int, n_k: int) -> int:
        """Number of keys that at least one of the queries sees."""
        self.check(n_q, n_k)
        return self._union_keys(range(n_k - n_q, n_k), n_k)

    def keys_of(self, query: int, n_k: int) -> Spans:
        """Keys of the query at position `query`: ranges [first, last) in order, which neither overlap nor touch."""
        self.check(1, n_k)
        if not 0 <= query < n_k and not self.static:
            raise PatternError(f"{self}: no query stands at position {query} of {n_k}")
        return self._keys_of(query, n_k)

    def key_bits(self, queries: range, n_k: int) -> Iterator[int]:
        """For each of the queries at consecutive positions its keys as bits of an integer: bit k is key k."""
        self.check(1, n_k)
        return self._rows(queries, n_k)

    def keys(self, position: int, n_k: int) -> tuple[int, int]:
        """Range [first, last) of the keys of the query at `position`, for machines that read one range a query.

        Raises
        ------
        PatternError : the keys are no single range
        """
        found = self.keys_of(position, n_k)
        if len(found) != 1:
            raise PatternError(f"{self}: the query at {position} of {n_k} sees {len(found)} ranges of keys, not one")
        return found[0]

    def mask(self, n_q: int, n_k: int) -> NDArray[np.bool_]:
        """(n_q, n_k) the pairs written out from the definition alone: the slow oracle of everything else."""
        self.check(n_q, n_k)
        mask = np.zeros((n_q, n_k), dtype=np.bool_)
        for i in range(n_q):
            mask[i] = [self.sees(n_k - n_q + i, key, n_k) for key in range(n_k)]
        return mask

    # Heads.

    @property
    def heads_period(self) -> int:
        """Heads h and h + heads_period see the same; 1 where all heads do."""
        return 1

    def of_head(self, head: int) -> Pattern:
        """What head `head` sees, for a pattern that differs from head to head; others return themselves."""
        if head < 0:
            raise PatternError(f"{self}: heads count from 0, got {head}")
        return self

    def pairs_of_heads(self, n_q: int, n_k: int, heads: int) -> int:
        """Number of pairs of all heads together."""
        period = min(self.heads_period, heads)
        return sum(self.of_head(h).pairs(n_q, n_k) * len(range(h, heads, period)) for h in range(period))

    def union_keys_of_heads(self, n_q: int, n_k: int, heads: int, kv_heads: int) -> int:
        """Number of keys read for all heads of keys and values together.

        Each of the `kv_heads` serves heads / kv_heads heads of queries in a row, and reads what at least one of them
        sees.
        """
        if kv_heads < 1 or heads % kv_heads:
            raise PatternError(f"{self}: {heads} heads do not share {kv_heads} key/value heads evenly")
        if self.heads_period == 1:
            return kv_heads * self.union_keys(n_q, n_k)
        group = heads // kv_heads
        return sum(
            reduce(or_, map(self.of_head, range(first, first + group))).union_keys(n_q, n_k)
            for first in range(0, heads, group)
        )

    # Algebra and text.

    def __or__(self, other: Pattern) -> Pattern:
        from hwsim.mapping.patterns.algebra import Union, combine  # which is made of patterns

        return combine(Union, self, other)

    def __and__(self, other: Pattern) -> Pattern:
        from hwsim.mapping.patterns.algebra import Intersection, combine

        return combine(Intersection, self, other)

    def _text(self, *given: object, **options: object) -> str:
        """`kind(given, ..., option=value)`, without the options that have their defaults."""
        defaults = {field.name: field.default for field in fields(self)}
        words = [*map(str, given), *(f"{name}={value}" for name, value in options.items() if value != defaults[name])]
        return f"{self.kind}({', '.join(words)})"


@lru_cache(maxsize=256)  # the layers of a model ask the same
def _counted(pattern: Pattern, queries: range, n_k: int, causal: bool) -> tuple[int, int]:
    """Pairs and seen keys, counted row by row."""
    rows: Iterable[int] = pattern._rows(queries, n_k)
    if causal:
        rows = (row & (2 << query) - 1 for query, row in zip(queries, rows))
    pairs = seen = 0
    for row in rows:
        pairs += row.bit_count()
        seen |= row
    return pairs, seen.bit_count()


def at_least(least: int, kind: str, **values: int) -> None:
    """Raise PatternError for a parameter of a kind that is no whole number or is too small."""
    for name, value in values.items():
        if not isinstance(value, int) or value < least:
            raise PatternError(f"{kind}: {name} must be a whole number of at least {least}, got {value}")

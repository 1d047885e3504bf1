"""A pattern as parts that have cores of their own: keys that all rows see, windows, and the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain, islice, product
from math import prod
from operator import and_

from hwsim.mapping.patterns import (
    After,
    BlockLocal,
    Causal,
    GlobalTokens,
    Intersection,
    MemorySlots,
    Pattern,
    RandomBlocks,
    Union,
    Window,
)
from hwsim.mapping.patterns.key_sets import bits

MOST_PARTS = 64  # an intersection of unions that has more stays one part, which is as exact
GLOBAL_ROWS = "global_rows"  # what global queries see beyond the keys that all rows see


@dataclass(frozen=True, kw_only=True)
class Part:
    """A pattern, or its pairs with some keys alone, whose keys stay in cores of their own.

    Attributes
    ----------
    kind : what the cores are called that serve it
    keys : the keys that it is about, as bits; all of them by default
    """

    kind: str
    pattern: Pattern
    keys: int = -1

    def rows(self, stretches: Iterable[range], n_k: int) -> Iterator[int]:
        """For each query its keys as bits; stretches are ascending ranges of positions.

        Equal rows in a row are the same object where the pattern makes them so, which `changes` profits from.
        """
        last, masked = 0, 0
        for stretch in stretches:
            every = self.pattern.key_bits(range(stretch.start, stretch[-1] + 1), n_k)
            for row in islice(every, 0, None, stretch.step):
                if row is not last:
                    last, masked = row, row & self.keys
                yield masked


def split_parts(pattern: Pattern, n_k: int) -> tuple[Part, ...]:
    """The parts of a pattern in the order in which they claim pairs: a pair belongs to the first that has it.

    First come the keys that all rows see (global tokens, memory slots, strides), as their cores load once; then
    windows, whose cores load a key a row; then everything else; last, what global queries see beyond.
    """
    parts = chain.from_iterable(_parts(term, n_k) for term in dict.fromkeys(terms(pattern)))
    return tuple(sorted(parts, key=_rank))


def terms(pattern: Pattern) -> list[Pattern]:
    """Patterns without a union at the top, whose union is `pattern`."""
    match pattern:
        case Union():
            return list(chain.from_iterable(map(terms, pattern.parts)))
        case After():
            return [replace(pattern, pattern=inner) for inner in terms(pattern.pattern)]
        case Intersection():
            choices = [terms(part) for part in pattern.parts]
            if prod(map(len, choices)) <= MOST_PARTS:
                return [reduce(and_, chosen) for chosen in product(*choices)]
    return [pattern]


def global_keys(pattern: Pattern, n_k: int) -> int:
    """The global tokens of a pattern, as bits."""
    match pattern:
        case GlobalTokens():
            return bits(range(*span) for span in pattern.chosen(n_k))
        case After():
            return global_keys(pattern.pattern, n_k - pattern.count) << pattern.count
        case Intersection() | Union():
            return reduce(int.__or__, (global_keys(part, n_k) for part in pattern.parts))
    return 0


def _parts(term: Pattern, n_k: int) -> list[Part]:
    kind = _kind(term)
    if kind != "global":
        return [Part(kind=kind, pattern=term)]
    pinned = global_keys(term, n_k)
    if not pinned:
        return [Part(kind=kind, pattern=term)]
    return [Part(kind=kind, pattern=term, keys=pinned), Part(kind=GLOBAL_ROWS, pattern=term, keys=~pinned)]


def _kind(term: Pattern) -> str:
    """What the cores of a part are called; an intersection goes by its first part that is not `causal`."""
    match term:
        case After():
            return _kind(term.pattern)
        case Intersection():
            return _kind(next(part for part in term.parts if not isinstance(part, Causal)))
        case GlobalTokens() | MemorySlots():
            return "global"
        case Window() | BlockLocal():
            return "window"
        case RandomBlocks():
            return "random"
    return term.kind


def _rank(part: Part) -> int:
    if part.kind == GLOBAL_ROWS:
        return 3
    if part.kind == "global" or part.pattern.static:
        return 0
    return 1 if part.kind == "window" else 2

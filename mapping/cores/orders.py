"""The order in which rows go through the cores: the one in which keys stay longest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.mapping.cores.parts import Part
from hwsim.mapping.cores.plan import Ints
from hwsim.mapping.cores.runs import count_runs, stretches
from hwsim.mapping.patterns import After, GlobalTokens, Intersection, Pattern, Union, Window
from hwsim.mapping.patterns.tiles import Tiled


@dataclass(frozen=True, kw_only=True, eq=False)
class Order:
    """Rows in an order.

    Attributes
    ----------
    name : the order in words
    rows : positions of the queries
    """

    name: str
    rows: Ints


def choose_order(parts: Sequence[Part], rows: Ints, n_k: int) -> Order:
    """The order of `rows`, which ascend, that loads least; the natural one where none loads less.

    A row sees as many keys in any order, so that neither the number of cores nor that of rows depends on it: what
    differs is how often a key leaves and comes back. The candidates are what the parts suggest: a dilated window,
    its residue classes, in each of which it is a plain window; windows and lines of a grid, one after the other.
    """
    candidates = list(_candidates(parts, rows, n_k))
    if len(candidates) == 1:
        return candidates[0]
    return min(candidates, key=lambda order: count_runs(parts, order.rows, n_k))


def _candidates(parts: Sequence[Part], rows: Ints, n_k: int) -> Iterator[Order]:
    """The natural order first, and no order twice."""
    seen = {rows.tobytes()}
    yield Order(name="natural", rows=rows)
    for leaf in dict.fromkeys(leaf for part in parts for leaf in _leaves(part.pattern)):
        found = _suggested(leaf, rows, n_k)
        if found and found.rows.tobytes() not in seen:
            seen.add(found.rows.tobytes())
            yield found


def _leaves(pattern: Pattern) -> Iterator[Pattern]:
    """The patterns that a pattern is made of, where they stand."""
    match pattern:
        case After():
            yield from (After(count=pattern.count, pattern=leaf) for leaf in _leaves(pattern.pattern))
        case Union() | Intersection():
            for part in pattern.parts:
                yield from _leaves(part)
        case _:
            yield pattern


def _suggested(leaf: Pattern, rows: Ints, n_k: int) -> Order | None:
    inner = leaf
    while isinstance(inner, After):
        inner = inner.pattern
    if isinstance(inner, Window) and inner.dilation > 1:
        order = np.argsort(rows % inner.dilation, kind="stable")
        return Order(name=f"by residue modulo {inner.dilation}", rows=rows[order])
    if isinstance(inner, Tiled) and not isinstance(inner, GlobalTokens):  # whose rows `compile_pattern` sets apart
        group = dict[int, int]()
        every = Part(kind=leaf.kind, pattern=leaf).rows(stretches(rows), n_k)
        tiles = [group.setdefault(keys, len(group)) for keys in every]
        return Order(name=f"tile by tile of {leaf}", rows=rows[np.argsort(tiles, kind="stable")])
    return None

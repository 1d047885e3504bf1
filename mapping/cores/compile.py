"""From an attention pattern to passes over cores that hold a key each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from hwsim.mapping.cores.cost import plan_cost
from hwsim.mapping.cores.orders import choose_order
from hwsim.mapping.cores.parts import GLOBAL_ROWS, Part, global_keys, split_parts
from hwsim.mapping.cores.passes import PlacedRuns, finish_passes, place_runs
from hwsim.mapping.cores.plan import CorePass, CorePlan, Flags, Ints
from hwsim.mapping.cores.published import published_windows
from hwsim.mapping.cores.runs import find_runs
from hwsim.mapping.cores.target import CoreTarget
from hwsim.mapping.errors import MappingError
from hwsim.mapping.patterns import Pattern

FAR_MORE = 2  # rows that see so many times as many keys as all others may get passes of their own


def compile_pattern(
    pattern: Pattern,
    queries: int,
    keys: int,
    *,
    cores: int,
    loads: int,
    sv_stage: int = 2,
    window: Literal["exact", "published"] = "exact",
) -> CorePlan:
    """Which core holds which key for which rows, for one head of attention (docs/cores.md).

    Plans are kept: layers and heads that ask the same get the same.

    Parameters
    ----------
    pattern : of one head, where heads differ
    queries, keys : the queries are the last positions of the keys; in cross-attention with a static pattern, too
    cores, loads, sv_stage : of the target (`CoreTarget`)
    window : `published` takes windows of as many keys as 2w cores hold (`published_windows`), and the plan says how
        many pairs that leaves out and adds

    Raises
    ------
    MappingError : no core, no load, or no stage for QK between LOAD and SV; heads see different keys
    PatternError : the pattern does not fit the queries and keys
    """
    target = CoreTarget(cores=cores, loads=loads, sv_stage=sv_stage)
    if pattern.heads_period > 1:
        raise MappingError(f"{pattern}: heads see different keys, and cores hold those of one; compile each by of_head")
    pattern.check(queries, keys)
    return _compiled(pattern, queries, keys, target, window == "published")


@lru_cache(maxsize=64)
def _compiled(pattern: Pattern, queries: int, keys: int, target: CoreTarget, published: bool) -> CorePlan:
    taken = published_windows(pattern) if published else pattern
    both = (pattern & taken).pairs(queries, keys)
    best = min(alternatives(taken, queries, keys, target), key=lambda found: found.cost(target))
    return CorePlan(
        queries=queries,
        keys=keys,
        cores=target.cores,
        order=best.order,
        passes=best.passes,
        dropped=pattern.pairs(queries, keys) - both,
        added=taken.pairs(queries, keys) - both,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Alternative:
    """Passes that compute a pattern.

    Attributes
    ----------
    order : in which the rows go, in words
    apart : rows that go in passes of their own
    """

    order: str
    apart: int
    passes: tuple[CorePass, ...]

    def cost(self, target: CoreTarget) -> tuple[float, int, int]:
        """By which `compile_pattern` chooses."""
        return plan_cost(self.passes, target)


def alternatives(pattern: Pattern, queries: int, keys: int, target: CoreTarget) -> Iterator[Alternative]:
    """The plans among which `compile_pattern` chooses: all rows together, and some rows apart."""
    parts = split_parts(pattern, keys)
    rows = np.arange(keys - queries, keys, dtype=np.int64)
    seen = _keys_seen(pattern, queries, keys)
    order = choose_order(parts, rows[seen > 0], keys)
    for apart in _rows_apart(pattern, order.rows, seen[order.rows - (keys - queries)], keys):
        placed = list[PlacedRuns]()
        for some, group in ((~apart, parts), (apart, [Part(kind=GLOBAL_ROWS, pattern=pattern)])):
            runs = find_runs(group, order.rows[some], keys)
            placed += place_runs(runs, order.rows[some], target, [part.kind for part in group])
        yield Alternative(order=order.name, apart=int(apart.sum()), passes=finish_passes(placed, target))


def _keys_seen(pattern: Pattern, queries: int, keys: int) -> Ints:
    """(queries,) how many keys each of them sees."""
    rows = pattern.key_bits(range(keys - queries, keys), keys)
    return np.fromiter((row.bit_count() for row in rows), dtype=np.int64, count=queries)


def _rows_apart(pattern: Pattern, rows: Ints, seen: Ints, n_k: int) -> Iterator[Flags]:
    """(rows,) flags: rows that may go in passes of their own. First none; then global ones; those that see far more.

    Parameters
    ----------
    seen : (rows,) how many keys each row sees
    """
    yield np.zeros(len(rows), dtype=np.bool_)
    chosen = global_keys(pattern, n_k)
    are_global = np.array([row >= 0 and chosen >> row & 1 == 1 for row in rows.tolist()], dtype=np.bool_)
    found = set[bytes]()
    for apart in (are_global, _that_see_most(seen)):
        if 0 < apart.sum() <= len(rows) // 2 and apart.tobytes() not in found:
            found.add(apart.tobytes())
            yield apart


def _that_see_most(seen: Ints) -> Flags:
    """Rows above the widest step between numbers of keys, if that is a step to `FAR_MORE` times as many."""
    numbers = np.unique(seen)
    steps = numbers[1:] / numbers[:-1]
    if not len(steps) or steps.max() < FAR_MORE:
        return np.zeros(len(seen), dtype=np.bool_)
    return np.asarray(seen >= numbers[steps.argmax() + 1])

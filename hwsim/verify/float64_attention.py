"""Attention over a pattern in float64, straight from its definition: the reference for machines."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns import Pattern
from hwsim.verify.float64 import Values, softmax


def attention_rows(
    pattern: Pattern, queries: Iterable[int], q_qh: Values, k_nh: Values, v_nh: Values, *, scale: float
) -> Values:
    """(rows, H of a value) softmax(scale q K^T) V over the keys that the pattern grants, for some queries.

    Parameters
    ----------
    queries : which of the rows of Q; they are the last of the positions, as everywhere in patterns

    Raises
    ------
    PatternError : a query without keys, which has no softmax; a pattern that does not fit
    """
    rows = [_row(q_qh[query], *_seen(pattern, query, len(q_qh), k_nh, v_nh), scale) for query in queries]
    return np.array(rows).reshape(-1, v_nh.shape[1])


def queries_with_keys(pattern: Pattern, queries: int, keys: int) -> list[int]:
    """Those that see at least one key."""
    return [query for query in range(queries) if pattern.keys_of(keys - queries + query, keys)]


def _seen(pattern: Pattern, query: int, queries: int, k_nh: Values, v_nh: Values) -> tuple[Values, Values]:
    """The rows of K and V that a query sees."""
    spans = pattern.keys_of(len(k_nh) - queries + query, len(k_nh))
    if not spans:
        raise PatternError(f"{pattern}: query {query} of {queries} sees no key, so that it has no softmax")
    keys = np.concatenate([np.arange(first, last) for first, last in spans])
    return k_nh[keys], v_nh[keys]


def _row(q_h: Values, k_nh: Values, v_nh: Values, scale: float) -> Values:
    return np.asarray(softmax(scale * (k_nh @ q_h)) @ v_nh)

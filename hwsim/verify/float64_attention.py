"""Attention over a pattern in float64, straight from its definition: the reference for machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns import Pattern
from hwsim.verify.float64 import Values, softmax

Bias = Callable[[int, NDArray[np.int64]], Values]


def attention_rows(
    pattern: Pattern,
    queries: Iterable[int],
    q_qh: Values,
    k_nh: Values,
    v_nh: Values,
    *,
    scale: float,
    bias: Bias | None = None,
) -> Values:
    """(rows, H of a value) softmax(scale q K^T + bias) V over the keys that the pattern grants, for some queries.

    Parameters
    ----------
    queries : which of the rows of Q; they are the last of the positions, as everywhere in patterns
    bias : what is added to the scores of the query at a position, of some keys

    Raises
    ------
    PatternError : a query without keys, which has no softmax; a pattern that does not fit
    """
    rows = []
    for query in queries:
        position = len(k_nh) - len(q_qh) + query
        keys = _keys(pattern, position, len(k_nh))
        scores = scale * (k_nh[keys] @ q_qh[query]) + (0 if bias is None else bias(position, keys))
        rows.append(softmax(scores) @ v_nh[keys])
    return np.array(rows).reshape(-1, v_nh.shape[1])


def queries_with_keys(pattern: Pattern, queries: int, keys: int) -> list[int]:
    """Those that see at least one key."""
    return [query for query in range(queries) if pattern.keys_of(keys - queries + query, keys)]


def _keys(pattern: Pattern, position: int, n_k: int) -> NDArray[np.int64]:
    spans = pattern.keys_of(position, n_k)
    if not spans:
        raise PatternError(f"{pattern}: the query at {position} of {n_k} sees no key, so that it has no softmax")
    return np.concatenate([np.arange(first, last) for first, last in spans])

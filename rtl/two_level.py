"""Reductions of what many cores give in two levels: within groups of neighbours, then over the groups."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.rtl.float_values import Floats

Combine = Callable[[Floats, Floats], Floats]
Reduction = Callable[[Floats, Combine], Floats]


def reduce_in_groups(x: Floats, group: int, reduction: Reduction, combine: Combine, neutral: float) -> Floats:
    """Reduce the last axis, one value a core, to nothing.

    Parameters
    ----------
    group : cores of a group; a last group that is smaller is filled with `neutral`, which changes no result
    reduction : `chain` or `tree`, in which both levels are made
    """
    cores = x.shape[-1]
    groups = -(-cores // group)
    missing = groups * group - cores
    if missing:
        x = np.concatenate((x, np.full((*x.shape[:-1], missing), neutral, dtype=x.dtype)), axis=-1)
    return reduction(reduction(x.reshape(*x.shape[:-1], groups, group), combine), combine)


def chain(x: Floats, combine: Combine) -> Floats:
    """One after the other, from the first on."""
    total = x[..., 0]
    for index in range(1, x.shape[-1]):
        total = combine(total, x[..., index])
    return total


def tree(x: Floats, combine: Combine) -> Floats:
    """By pairs of neighbours, level after level; an odd last one waits for the next level."""
    while x.shape[-1] > 1:
        pairs = x.shape[-1] // 2
        joined = combine(x[..., 0 : 2 * pairs : 2], x[..., 1 : 2 * pairs : 2])
        x = joined if x.shape[-1] == 2 * pairs else np.concatenate((joined, x[..., 2 * pairs :]), axis=-1)
    return x[..., 0]

"""How many tokens each expert gets: in given proportions, or drawn.

All results are whole numbers that add up to what was dealt out, and no expert gets a token twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, pairwise
from math import lcm

import numpy as np
from numpy.typing import NDArray

# Random numbers made at a time, which bounds the memory that a long prompt takes.
AT_ONCE = 1 << 21


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in a run something is decided.

    Attributes
    ----------
    number : of the step, counted from 0
    """

    number: int
    layer: int
    task: int


def in_proportion(weights: tuple[float, ...], *, tokens: int, top_k: int, place: Place) -> tuple[int, ...]:
    """Queue lengths in proportion to `weights`: each is its exact share, rounded down or up.

    The experts lie one after the other on a line of length top_k, each as long as the part of the tokens that it
    gets, at most 1. Token t of T stands at (t + f) / T and sees the line at that point and at every 1 further on:
    top_k experts, all different. The offset f moves on from step to step and from layer to layer, so that those who
    get one more take turns and a run of single tokens keeps the proportions too.
    """
    ends, whole = _line(weights, top_k)
    offset = (place.number * _NEXT_STEP + place.layer * _NEXT_LAYER) % _TURN
    # points before an end c/whole: those i with i + offset/_TURN < tokens * c/whole
    before = [-((offset * whole - tokens * end * _TURN) // (whole * _TURN)) for end in ends]
    return tuple(last - first for first, last in pairwise(before))


# Offsets are parts of 2^64. Multiples of the first step, 2^64 over the golden ratio, spread evenly; those of the
# second, any odd number, do so differently.
_TURN = 1 << 64
_NEXT_STEP = 0x9E3779B97F4A7C15
_NEXT_LAYER = 0xBF58476D1CE4E5B9


@lru_cache(maxsize=64)
def _line(weights: tuple[float, ...], top_k: int) -> tuple[tuple[int, ...], int]:
    """Where each expert begins and the last ends, in units of which the second result makes 1.

    What an expert cannot take, since no token comes twice, goes to the others in their proportion.
    """
    parts = [Fraction(0)] * len(weights)
    able, rest = [index for index, weight in enumerate(weights) if weight > 0], Fraction(top_k)
    while able:
        total = sum(Fraction(weights[index]) for index in able)
        shares = {index: rest * Fraction(weights[index]) / total for index in able}
        full = [index for index in able if shares[index] >= 1]
        if not full:
            break
        for index in full:
            parts[index] = Fraction(1)
        able, rest = [index for index in able if shares[index] < 1], rest - len(full)
    for index in able:
        parts[index] = shares[index]
    whole = lcm(*(part.denominator for part in parts))
    return tuple(accumulate((int(part * whole) for part in parts), initial=0)), whole


@lru_cache(maxsize=1024)
def drawn(popularity: tuple[float, ...], *, tokens: int, top_k: int, seed: int, place: Place) -> tuple[int, ...]:
    """Queue lengths of tokens that draw `top_k` different experts each.

    Each layer and task deals the popularities out to its experts anew, for the whole run; then each token of each
    step draws, one expert after the other, in proportion to the popularity of those it does not have yet.
    """
    popular = _shuffled(popularity, seed=seed, layer=place.layer, task=place.task)
    generator = np.random.default_rng((seed, place.layer, place.task, place.number + 1))
    counts = np.zeros(len(popular), dtype=np.int64)
    at_once = max(1, AT_ONCE // len(popular))
    for first in range(0, tokens, at_once):
        # a race: an expert arrives after an exponential time of rate popularity, and the first ones win
        times = -np.log1p(-generator.random((min(at_once, tokens - first), len(popular)))) / popular
        winners = np.argpartition(times, top_k - 1, axis=1)[:, :top_k]
        counts += np.bincount(winners.ravel(), minlength=len(popular))
    return tuple(counts.tolist())


def _shuffled(popularity: Sequence[float], *, seed: int, layer: int, task: int) -> NDArray[np.float64]:
    """The popularities in an order of the layer's and task's own."""
    keys = np.random.default_rng((seed, layer, task, 0)).random(len(popularity))
    return np.asarray(popularity, dtype=np.float64)[np.argsort(keys, kind="stable")]

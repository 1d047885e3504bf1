"""How many tokens each expert gets: in given proportions, or drawn.

All results are whole numbers that add up to what was dealt out, and no expert gets a token twice.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, pairwise
from math import lcm

import numpy as np

from hwsim.mapping.workload.place import Place
from hwsim.mapping.workload.token_experts import drawn_pieces


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
    """Queue lengths of tokens that draw `top_k` different experts each, those of `drawn_experts`."""
    counts = np.zeros(len(popularity), dtype=np.int64)
    for experts in drawn_pieces(popularity, tokens=tokens, top_k=top_k, seed=seed, place=place):
        counts += np.bincount(experts.ravel(), minlength=len(counts))
    return tuple(counts.tolist())

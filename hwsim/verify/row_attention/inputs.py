"""Queries, keys and values to compute with: usual ones, and those that lead numbers to the ends of their format.

Scores are meant after the scale. Where they reach for an end, it is that of the format: exp overflows above `highest`
and rounds to 0 below `lowest`, 11.09 and -17.33 in FP16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log, sqrt

import numpy as np

from hwsim.mapping.formats import Float
from hwsim.verify.float64 import Values

Random = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class HeadSize:
    """What inputs are made for.

    Attributes
    ----------
    d_k, d_v : elements of a query and key, and of a value
    scale : factor of the scores
    fmt : of the inputs and of exps
    biases : numbers of which one is added to each score; 0 if nothing is
    """

    queries: int
    keys: int
    d_k: int
    d_v: int
    scale: float
    fmt: Float
    biases: int = 0

    @property
    def highest(self) -> float:
        """Where exp overflows."""
        return log(self.fmt.maximum)

    @property
    def lowest(self) -> float:
        """Where exp rounds to 0: half of the smallest subnormal number."""
        return (1 - (1 << (self.fmt.exponent_bits - 1)) - self.fmt.mantissa_bits) * log(2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """Rows of a head, (queries, d_k), (keys, d_k) and (keys, d_v), and its (biases,)."""

    q: Values
    k: Values
    v: Values
    biases: Values


def random(rng: Random, size: HeadSize) -> Inputs:
    """Scores and values of deviation 1."""
    return _normal(rng, size, deviation=1)


def large(rng: Random, size: HeadSize) -> Inputs:
    """Scores of a third of `highest`, so that of 512 some exceed it."""
    return _normal(rng, size, deviation=size.highest / 3)


def equal(rng: Random, size: HeadSize) -> Inputs:
    """All keys alike and no biases, so that a result is the mean of the values."""
    usual = random(rng, size)
    return replace(usual, k=np.tile(usual.k[:1], (size.keys, 1)), biases=np.zeros(size.biases))


def dominating(rng: Random, size: HeadSize) -> Inputs:
    """A query's own position scores `highest` less 1, all others about that through sqrt(d_k).

    Its exp fits the format; times a value above e it no longer does.
    """
    signs = rng.choice([-1.0, 1.0], size=(size.keys, size.d_k))
    own = (size.keys - size.queries + np.arange(size.queries)) % size.keys
    length = sqrt((size.highest - 1) / (size.d_k * size.scale))
    return _inputs(rng, size, q=length * signs[own], k=length * signs)


def negative(rng: Random, size: HeadSize) -> Inputs:
    """All scores about 1.2 `lowest`."""
    length = sqrt(-1.2 * size.lowest / (size.d_k * size.scale))
    k = -length * (1 + rng.normal(size=(size.keys, size.d_k)) / 10)
    return _inputs(rng, size, q=np.full((size.queries, size.d_k), length), k=k)


def cancelling(rng: Random, size: HeadSize) -> Inputs:
    """Products of 64 with alternating signs that leave scores of about 1, and values of 100 with alternating signs."""
    base = 8.0
    noise = 1 / (base * sqrt(2 * size.d_k) * size.scale)
    q, k = (base + noise * rng.normal(size=(rows, size.d_k)) for rows in (size.queries, size.keys))
    usual = _inputs(rng, size, q=q * _alternating(size.d_k), k=k)
    return replace(usual, v=100 * _alternating(size.keys)[:, np.newaxis] + usual.v)


INPUTS: dict[str, Callable[[Random, HeadSize], Inputs]] = {
    make.__name__: make for make in (random, large, equal, dominating, negative, cancelling)
}


def _normal(rng: Random, size: HeadSize, *, deviation: float) -> Inputs:
    length = sqrt(deviation / (sqrt(size.d_k) * size.scale))
    q, k = (length * rng.normal(size=(rows, size.d_k)) for rows in (size.queries, size.keys))
    return _inputs(rng, size, q=q, k=k)


def _inputs(rng: Random, size: HeadSize, *, q: Values, k: Values) -> Inputs:
    """With values and biases of deviation 1."""
    return Inputs(q=q, k=k, v=rng.normal(size=(size.keys, size.d_v)), biases=rng.normal(size=size.biases))


def _alternating(count: int) -> Values:
    return np.where(np.arange(count) % 2, -1.0, 1.0)

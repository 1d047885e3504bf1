"""Which experts each token goes to: drawn by popularity, or dealt out so that queues of given lengths come out.

All results are (tokens, top_k) arrays of expert numbers, no expert twice in a row of them, and cannot be written to:
they are kept and handed out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.workload.place import Place

Experts = NDArray[np.int64]

# Random numbers made at a time, which bounds the memory that a long prompt takes.
AT_ONCE = 1 << 21
# What random numbers are for; each use has draws of its own.
_POPULARITY, _DEALING = 0, 2**63


def drawn_pieces(
    popularity: tuple[float, ...], *, tokens: int, top_k: int, seed: int, place: Place
) -> Iterator[Experts]:
    """Experts of tokens that draw `top_k` different ones each, piece by piece; most drawn at first stands first.

    Each layer and task deals the popularities out to its experts anew, for the whole run; then each token of each
    step draws, one expert after the other, in proportion to the popularity of those it does not have yet.
    """
    popular = _shuffled(popularity, seed=seed, layer=place.layer, task=place.task)
    generator = np.random.default_rng((seed, place.layer, place.task, place.number + 1))
    at_once = max(1, AT_ONCE // len(popular))
    for first in range(0, tokens, at_once):
        # a race: an expert arrives after an exponential time of rate popularity, and the first ones win
        times = -np.log1p(-generator.random((min(at_once, tokens - first), len(popular)))) / popular
        yield _first_ones(times, top_k)


@lru_cache(maxsize=256)
def drawn_experts(popularity: tuple[float, ...], *, tokens: int, top_k: int, seed: int, place: Place) -> Experts:
    """The pieces of `drawn_pieces` together."""
    pieces = list(drawn_pieces(popularity, tokens=tokens, top_k=top_k, seed=seed, place=place))
    return _kept(np.concatenate(pieces) if pieces else np.empty((0, top_k), dtype=np.int64))


@lru_cache(maxsize=256)
def dealt_experts(lengths: tuple[int, ...], *, tokens: int, top_k: int, seed: int, place: Place) -> Experts:
    """Experts of tokens such that each expert gets as many as `lengths` says, in an order that is drawn.

    Token after token draws different experts in proportion to what these still have to get. One that must have all
    the tokens that are left is not drawn but given; since lengths add up to tokens * top_k and none exceeds tokens,
    there is always a way to the end.
    """
    generator = np.random.default_rng((seed, place.layer, place.task, _DEALING + place.number))
    left = np.asarray(lengths, dtype=np.float64)
    found = np.empty((tokens, top_k), dtype=np.int64)
    for token in range(tokens):
        arrivals = -np.log1p(-generator.random(len(left)))
        with np.errstate(divide="ignore"):
            arrivals /= left  # never, for an expert that has all its tokens
        arrivals[left == tokens - token] = -1.0
        found[token] = _first_ones(arrivals[None, :], top_k)[0]
        left[found[token]] -= 1
    return _kept(found)


def _first_ones(times: NDArray[np.float64], count: int) -> Experts:
    """The `count` columns of the least times in each row, in ascending order of time."""
    winners = np.argpartition(times, count - 1, axis=1)[:, :count]
    order = np.argsort(np.take_along_axis(times, winners, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(winners, order, axis=1), dtype=np.int64)


def _shuffled(popularity: Sequence[float], *, seed: int, layer: int, task: int) -> NDArray[np.float64]:
    """The popularities in an order of the layer's and task's own."""
    keys = np.random.default_rng((seed, layer, task, _POPULARITY)).random(len(popularity))
    return np.asarray(popularity, dtype=np.float64)[np.argsort(keys, kind="stable")]


def _kept(experts: Experts) -> Experts:
    experts.setflags(write=False)
    return experts

"""Parameter sets and jobs that prove the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.ports import Codes
from hwsim.rtl.random_codes import clip_codes, codes_near, corner_codes, random_codes, steps
from hwsim.rtl.topk_gate.contract import TopkGateContract

SETS: tuple[Mapping[str, Any], ...] = (
    {
        "experts": 4,
        "lanes": 4,
        "inputs": 8,
        "max_tokens": 8,
        "product_stages": 1,
        "mac_stages": 2,
        "activation": Fixed(width=14, integer=6),
        "weight": Fixed(width=8, integer=2),
        "accumulator": Fixed(width=16, integer=6),
        "total": Fixed(width=17, integer=3, signed=False),
        "exponential": Fixed(width=16, integer=1, signed=False, rounding="nearest_even", overflow="saturate"),
        "inverse": Fixed(width=16, integer=1, signed=False, rounding="nearest_even", overflow="saturate"),
        "score": Fixed(width=15, integer=1, signed=False),
    },
    {
        "experts": 5,
        "lanes": 2,
        "inputs": 12,
        "top": 3,
        "max_tokens": 6,
        "mac_stages": 1,
        "adder_levels": 1,
        "initiation_interval": 3,
        "product_stages": 0,
        "output_stages": 2,
        "exp_method": "tables",
        "probability": "quotient",
        "bits_per_stage": 3,
        "activation": Fixed(width=12, integer=5),
        "weight": Fixed(width=9, integer=3),
        "accumulator": Fixed(width=18, integer=7),
        "total": Fixed(width=18, integer=4),
        "exponential": Fixed(width=14, integer=2),
        "inverse": Fixed(width=14, integer=2, signed=False, rounding="floor", overflow="saturate"),
        "score": Fixed(width=18, integer=4),
    },
    {"experts": 1, "lanes": 1, "inputs": 1, "top": 1, "max_tokens": 1},
    {"experts": 4, "lanes": 4, "inputs": 12, "max_tokens": 9, "serial": True, "output_stages": 3},
    {"experts": 4, "lanes": 8, "inputs": 32, "max_tokens": 17},
    {"experts": 3, "top": 3, "lanes": 1, "inputs": 40, "max_tokens": 16, "product_stages": 4},
    {"inputs": 16, "max_tokens": 5},
    {
        "experts": 5,
        "lanes": 2,
        "inputs": 12,
        "top": 3,
        "max_tokens": 6,
        "mac_stages": 1,
        "adder_levels": 1,
        "initiation_interval": 3,
        "product_stages": 0,
        "output_stages": 2,
        "activation": Fixed(width=12, integer=5),
        "weight": Fixed(width=9, integer=3),
        "accumulator": Fixed(width=18, integer=7),
        "total": Fixed(width=18, integer=4, signed=False),
        "exponential": Fixed(width=14, integer=2, signed=False, rounding="nearest_even", overflow="saturate"),
        "inverse": Fixed(width=14, integer=2, signed=False, rounding="floor", overflow="saturate"),
        "score": Fixed(width=18, integer=4),
    },
)

EXTREMES: tuple[Mapping[str, Any], ...] = (
    {
        "experts": 64,
        "lanes": 1,
        "inputs": 2,
        "max_tokens": 1,
        "mac_stages": 6,
        "adder_levels": 6,
        "initiation_interval": 16,
        "product_stages": 6,
        "output_stages": 160,
    },
    {"experts": 2, "lanes": 1, "inputs": 1, "max_tokens": 2, "probability": "quotient", "bits_per_stage": 8},
    {"experts": 1, "lanes": 64, "inputs": 1 << 16, "top": 1, "max_tokens": 1},
    {"experts": 2, "lanes": 1, "inputs": 2, "top": 1, "max_tokens": 1 << 16},
)


def random_job(c: TopkGateContract, rng: np.random.Generator) -> Job:
    """One load, then up to two commands with its weights; half of the tokens small, so that scores vary."""
    tokens = rng.integers(1, min(c.max_tokens, 5), size=rng.integers(1, 3), endpoint=True).tolist()
    x = random_codes(rng, c.activation, (sum(tokens), c.inputs))
    small = codes_near(rng, c.activation, 0, below=1, above=1, shape=x.shape)
    work = [(i == 0, n) for i, n in enumerate(tokens)]
    weights = random_codes(rng, c.weight, (c.experts, c.inputs))
    return _job(c, "random", work, np.where(rng.random((len(x), 1)) < 0.5, small, x), weights)


def corner_jobs(c: TopkGateContract) -> list[Job]:
    """No token; all extremes; ties; every expert order that an insertion can get wrong; full and empty queues."""
    n, zeros = min(c.max_tokens, 17), np.zeros((c.experts, c.inputs), dtype=np.int64)
    some = clip_codes(c.activation, np.ones((n, c.inputs)))
    jobs = [
        _job(c, "nothing", [(True, 0), (False, 0)], some[:0], zeros),
        _job(c, "a load without tokens, then one", [(True, 0), (False, 1)], some[:1], zeros),
        _job(c, "all logits equal: the first experts take all tokens", [(True, n)], some, zeros),
        *(_one_hot(c, f"the best expert is {best}", n, best) for best in range(c.experts)),
        *(_ranked(c, f"order {shift}, step {step}", n, shift, step) for shift in range(c.experts) for step in (1, -1)),
    ]
    for x in corner_codes(c.activation):
        for w in corner_codes(c.weight):
            weights = np.full_like(zeros, w)
            weights[1::2] = 0
            jobs.append(_job(c, f"x {x}, w {w}", [(True, 1)], np.full((1, c.inputs), x), weights))
    return jobs


def _one_hot(c: TopkGateContract, name: str, tokens: int, best: int) -> Job:
    """Weights by which every token prefers `best`; the other experts tie."""
    weights = np.zeros((c.experts, c.inputs), dtype=np.int64)
    weights[best] = c.weight.code_range[1]
    return _job(c, name, [(True, tokens)], np.full((tokens, c.inputs), _one(c)), weights)


def _ranked(c: TopkGateContract, name: str, tokens: int, shift: int, step: int) -> Job:
    """Logits that rise or fall with the expert, rotated by `shift`: a late one is inserted between two early ones."""
    ranks = np.roll(np.arange(c.experts) * step, shift)
    weights = np.zeros((c.experts, c.inputs), dtype=np.int64)
    weights[:, 0] = clip_codes(c.weight, ranks * steps(c.weight, 0.25))
    return _job(c, name, [(True, tokens)], np.full((tokens, c.inputs), _one(c)), weights)


def _one(c: TopkGateContract) -> Codes:
    """The code of 1, or the nearest code."""
    return clip_codes(c.activation, steps(c.activation, 1))


def _job(c: TopkGateContract, name: str, work: Sequence[tuple[bool, int]], x: Codes, weights: Codes) -> Job:
    """Commands `work`, of which the first loads `weights`; `x` is (all tokens, inputs)."""
    return Job(
        name=name,
        work=work,
        inputs={
            "command": {
                "load": np.array([load for load, _ in work], dtype=np.int64),
                "tokens": np.array([tokens for _, tokens in work], dtype=np.int64),
            },
            "weights": {"values": weights.reshape(-1, c.lanes)},
            "x": {"values": x.reshape(-1, c.lanes)},
        },
    )

"""Parameter sets and jobs that prove layer norm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.ports import Codes
from hwsim.rtl.random_codes import clip_codes, corner_codes, random_codes

SETS: tuple[Mapping[str, Any], ...] = (
    {"features": 12, "lanes": 4},
    {
        "features": 6,
        "lanes": 3,
        "divisor_fraction": 14,
        "epsilon": 1,
        "product_stages": 1,
        "adder_levels": 1,
        "output_stages": 2,
        "root_method": "division",
        "root_bits_per_stage": 3,
        "root_output_stages": 1,
        "activation": Fixed(width=18, integer=6),
        "weight": Fixed(width=9, integer=3),
        "bias": Fixed(width=12, integer=4),
        "accumulator": Fixed(width=22, integer=8),
        "root": Fixed(width=16, integer=6),
    },
    {"features": 1, "lanes": 1, "product_stages": 6, "adder_levels": 6, "output_stages": 30},
    {"features": 32, "lanes": 8},
    {"features": 192, "lanes": 8},
    {"features": 16, "lanes": 16, "adder_levels": 1, "root_output_stages": 20, "epsilon": 0},
    {
        "features": 6,
        "lanes": 3,
        "divisor_fraction": 14,
        "epsilon": 1,
        "product_stages": 1,
        "adder_levels": 1,
        "output_stages": 2,
        "root_segments_log2": 3,
        "root_degree": 1,
        "root_guard_bits": 2,
        "root_output_stages": 1,
        "activation": Fixed(width=18, integer=6),
        "weight": Fixed(width=9, integer=3),
        "bias": Fixed(width=12, integer=4),
        "accumulator": Fixed(width=22, integer=8),
        "root": Fixed(width=16, integer=6, signed=False, overflow="saturate"),
    },
)

EXTREMES: tuple[Mapping[str, Any], ...] = (
    {
        "features": 2,
        "lanes": 2,
        "divisor_fraction": 1,
        "epsilon": 1 << 16,
        "output_stages": 160,
        "root_segments_log2": 1,
        "root_degree": 4,
        "root_guard_bits": 8,
        "root_output_stages": 64,
    },
    {"features": 4, "lanes": 2, "root_method": "division", "root_bits_per_stage": 8},
    {"features": 128, "lanes": 64, "divisor_fraction": 30, "root_segments_log2": 12, "root_degree": 1},
)
LEFT_OUT: Mapping[tuple[str, int], str] = {
    ("features", 1 << 16): "a token takes 1024 beats at least, and the jobs have hundreds of tokens",
}


def random_job(c: LayerNormContract, rng: np.random.Generator) -> Job:
    """One to four sequences of one to four tokens, each token with its own magnitude."""
    lengths = rng.integers(1, 5, size=rng.integers(1, 5))
    tokens = int(lengths.sum())
    width = c.activation.width
    x = random_codes(rng, c.activation, (tokens, c.features)) >> rng.integers(0, width, size=(tokens, 1))
    offset = random_codes(rng, c.activation, (tokens, 1)) >> rng.integers(min(2, width - 1), width, size=(tokens, 1))
    norms = (len(lengths), c.features)
    return _job(
        c,
        "random",
        lengths.tolist(),
        clip_codes(c.activation, x + offset),
        random_codes(rng, c.weight, norms),
        random_codes(rng, c.bias, norms),
    )


def corner_jobs(c: LayerNormContract) -> list[Job]:
    """Equal tokens, alternating extremes (whose variance wraps), the shortest sequences, no sequence."""
    none = np.zeros((0, c.features), dtype=np.int64)
    jobs = [_job(c, "nothing", [], none, none, none)]
    low, high = c.activation.code_range
    sign = np.where(np.arange(c.features) % 2, low, high)
    tokens = [np.full(c.features, code) for code in corner_codes(c.activation)]
    tokens += [sign >> places for places in range(c.activation.width)]
    for weight in corner_codes(c.weight):
        norms = np.full((len(tokens), c.features), weight)
        biases = np.resize(corner_codes(c.bias), norms.shape)
        jobs.append(_job(c, f"weight {weight}", [1] * len(tokens), np.array(tokens), norms, biases))
    one = _job(c, "one token", [1], np.array(tokens[:1]), norms[:1], biases[:1])
    return [*jobs, one, _job(c, "one sequence", [len(tokens)], np.array(tokens), norms[:1], biases[:1])]


def held_jobs(c: LayerNormContract) -> list[Job]:
    """A sequence of one token, and one of more tokens than the block holds."""
    jobs = []
    for tokens in (1, (c.affine_latency + c.statistics_latency) // c.beats + 4):
        x, norm = np.zeros((tokens, c.features), dtype=np.int64), np.zeros((1, c.features), dtype=np.int64)
        jobs.append(_job(c, f"{tokens} tokens held", [tokens], x, norm, norm))
    return jobs


def _job(c: LayerNormContract, name: str, lengths: list[int], x: Codes, weight: Codes, bias: Codes) -> Job:
    """`lengths` tokens for each row of weights and biases."""
    last = np.zeros(len(x) * c.beats, dtype=np.int64)
    last[np.cumsum(lengths, dtype=np.int64) * c.beats - 1] = 1
    last[: len(x) * c.beats // 2 : c.beats] |= c.beats > 1  # it has no meaning on a first beat
    return Job(
        name=name,
        work=len(x),
        inputs={
            "x": {"values": x.reshape(-1, c.lanes), "last": last},
            "norm": {"weight": weight.reshape(-1, c.lanes), "bias": bias.reshape(-1, c.lanes)},
        },
    )

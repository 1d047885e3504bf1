"""Parameter sets and jobs that prove attention's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.ports import Codes
from hwsim.rtl.random_codes import clip_codes, codes_near, corner_codes, random_codes
from hwsim.rtl.skew import row_count, skewed_rows

SETS: tuple[Mapping[str, Any], ...] = (
    {"slots": 2, "channels": 2, "heads": 2, "head_dim": 4, "max_tokens": 8},
    {
        "slots": 4,
        "channels": 3,
        "heads": 1,
        "head_dim": 12,  # a head's beats equal its slots' turns, so no beat is idle
        "max_tokens": 12,
        "exp_method": "tables",
        "product_stages": 1,
        "output_stages": 2,
        "activation": Fixed(width=14, integer=6),
        "exponential": Fixed(width=12, integer=2),
        "inverse": Fixed(width=16, integer=4),
        "accumulator": Fixed(width=20, integer=9),
    },
    {"slots": 4, "heads": 2, "head_dim": 16, "max_tokens": 17, "exp_units": 2},
    {"slots": 1, "channels": 1, "heads": 2, "head_dim": 1, "max_tokens": 1, "product_stages": 6, "output_stages": 16},
    {},
    {"slots": 16, "channels": 4, "heads": 4, "head_dim": 8, "max_tokens": 40, "exp_units": 8, "guard_bits": 8},
    {
        "slots": 4,
        "channels": 3,
        "heads": 1,
        "head_dim": 12,  # a head's beats equal its slots' turns, so no beat is idle
        "max_tokens": 12,
        "segments_log2": 3,
        "degree": 1,
        "guard_bits": 2,
        "product_stages": 1,
        "output_stages": 2,
        "activation": Fixed(width=14, integer=6),
        "exponential": Fixed(width=12, integer=2),
        "inverse": Fixed(width=16, integer=4),
        "accumulator": Fixed(width=20, integer=9),
    },
)

EXTREMES: tuple[Mapping[str, Any], ...] = (
    {
        "slots": 1,
        "channels": 64,
        "heads": 1,
        "head_dim": 1024,
        "max_tokens": 1 << 16,
        "output_stages": 32,
        "segments_log2": 1,
        "degree": 4,
    },
    {
        "slots": 2,
        "channels": 1,
        "heads": 64,
        "head_dim": 2,
        "max_tokens": 5,
        "exp_units": 2,
        "segments_log2": 12,
        "degree": 1,
    },
)
LONGEST = 12  # tokens of a random job


def random_job(c: MvContract, rng: np.random.Generator) -> Job:
    """A few tokens, fewer or more than slots or as many; scores near the largest one and far from it, some masked."""
    tokens = int(rng.integers(1, min(c.max_tokens, LONGEST), endpoint=True))
    bias = random_codes(rng, c.activation, (tokens, c.heads))
    inverse = random_codes(rng, c.inverse, (tokens, c.heads))
    v = random_codes(rng, c.activation, (tokens, c.token_beats, c.channels))
    rows = row_count(tokens, c.slots)
    scores = random_codes(rng, c.activation, (rows, c.heads, c.slots))
    for i, row in enumerate(skewed_rows(tokens, c.slots)):
        for slot, query in enumerate(row.queries):
            if query is not None and rng.random() < 0.7:
                scores[i, :, slot] = codes_near(rng, c.activation, bias[query], below=9, above=0, shape=(c.heads,))
    mask = (rng.random(scores.shape) < 0.9).astype(np.int64)
    return _job(c, f"{tokens} tokens", scores, mask, inverse, bias, v)


def corner_jobs(c: MvContract) -> list[Job]:
    """No token, one token of extremes, and each number of tokens up to twice the slots, with sums that wrap."""
    low, one, high = clip_codes(c.activation, [c.activation.code_range[0], 1, c.activation.code_range[1]])
    jobs = [_constant_job(c, "nothing", 0, 0, 0, 0)]
    for v in corner_codes(c.activation):
        jobs += [
            _constant_job(c, f"score {a}, bias {b}, v {v}", 1, a, b, v)
            for a, b in ((low, high), (high, low), (one, one))
        ]
    for tokens in range(2, min(2 * c.slots + 1, c.max_tokens, LONGEST) + 1):
        jobs.append(_constant_job(c, f"{tokens} tokens of extremes", tokens, low, low, high))
    return jobs


def held_jobs(c: MvContract) -> list[Job]:
    """One token, and several."""
    return [_constant_job(c, f"{n} tokens held", n, 0, 0, 0) for n in {1, min(c.max_tokens, LONGEST)}]


def _constant_job(c: MvContract, name: str, tokens: int, score: int, bias: int, v: int) -> Job:
    scores = np.full((row_count(tokens, c.slots), c.heads, c.slots), score)
    queries = np.full((tokens, c.heads), bias)
    inverse = np.full_like(queries, c.inverse.code_range[1])
    return _job(
        c, name, scores, np.ones_like(scores), inverse, queries, np.full((tokens, c.token_beats, c.channels), v)
    )


def _job(c: MvContract, name: str, scores: Codes, mask: Codes, inverse: Codes, bias: Codes, v: Codes) -> Job:
    """Scores and mask (rows, heads, slots), info (tokens, heads), values (tokens, beats, channels)."""
    tokens = len(v)
    again = np.resize(np.arange(tokens), len(scores)).astype(np.int64)
    return Job(
        name=name,
        work=tokens,
        inputs={
            "command": {"tokens": np.array([tokens], dtype=np.int64)},
            "info": {"inverse": inverse, "bias": bias},
            "scores": {"values": scores.reshape(-1, c.slots), "mask": mask.reshape(-1, c.slots)},
            "v": {"values": v[again].reshape(-1, c.channels)},
        },
    )

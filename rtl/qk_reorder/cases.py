"""Parameter sets and jobs that prove the scores of attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.ports import Codes
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.random_codes import clip_codes, corner_codes, random_codes
from hwsim.rtl.skew import row_count

SETS: tuple[Mapping[str, Any], ...] = (
    {"slots": 2, "channels": 4, "heads": 2, "head_dim": 8, "max_tokens": 8},
    {
        "slots": 3,
        "channels": 3,
        "heads": 1,
        "head_dim": 3,
        "max_tokens": 12,
        "scale_at": "beat",
        "scale_code": -77,
        "product_stages": 1,
        "adder_levels": 1,
        "output_stages": 2,
        "activation": Fixed(width=12, integer=4),
        "accumulator": Fixed(width=20, integer=8),
        "scale": Fixed(width=9, integer=1),
    },
    {"slots": 4, "heads": 2, "head_dim": 16, "max_tokens": 17, "scale": Fixed(width=22, integer=1)},  # 1/4
    {"slots": 1, "channels": 1, "heads": 1, "head_dim": 1, "max_tokens": 1, "product_stages": 6, "output_stages": 16},
    {},
    {"slots": 16, "channels": 4, "heads": 4, "head_dim": 4, "max_tokens": 40, "adder_levels": 1},
    {"slots": 3, "channels": 4, "heads": 1, "head_dim": 16, "max_tokens": 12, "scale_code": -77},
)

EXTREMES: tuple[Mapping[str, Any], ...] = (
    {
        "slots": 1,
        "channels": 64,
        "heads": 1,
        "head_dim": 1024,
        "max_tokens": 1 << 16,
        "adder_levels": 6,
        "scale_code": -(1 << 31),
    },
    {"slots": 2, "channels": 1, "heads": 64, "head_dim": 1, "max_tokens": 5, "scale_code": (1 << 31) - 1},
)
LONGEST = 12  # tokens of a random job


def random_job(c: QkReorderContract, rng: np.random.Generator) -> Job:
    """Attention over a few tokens: fewer than slots, as many, or more."""
    tokens = int(rng.integers(1, min(c.max_tokens, LONGEST), endpoint=True))
    q, k = (random_codes(rng, c.activation, (tokens, c.token_beats, c.channels)) for _ in range(2))
    return _job(c, f"{tokens} tokens", q, k)


def corner_jobs(c: QkReorderContract) -> list[Job]:
    """No token, one for each pair of extremes, each number up to twice the slots, the maximum; all of them wrap."""
    low, high = c.activation.code_range
    shape = (c.token_beats, c.channels)
    jobs = [_job(c, "nothing", np.zeros((0, *shape), dtype=np.int64), np.zeros((0, *shape), dtype=np.int64))]
    for x in corner_codes(c.activation):
        for y in clip_codes(c.activation, [low, -1, 1, high]):
            jobs.append(_job(c, f"q {x}, k {y}", np.full((1, *shape), x), np.full((1, *shape), y)))
    most = min(c.max_tokens, LONGEST)
    for tokens in sorted({*range(2, min(2 * c.slots + 1, most) + 1), most}):
        odd = np.arange(tokens)[:, None, None] % 2 + np.zeros(shape, dtype=np.int64)
        q, k = np.where(odd == 0, high, low), np.where(odd == 1, high, low)
        jobs.append(_job(c, f"{tokens} tokens of extremes", q, k))
    return jobs


def _job(c: QkReorderContract, name: str, q: Codes, k: Codes) -> Job:
    """Queries and keys (tokens, beats, channels); the keys stream again for each pass."""
    tokens = len(q)
    again = np.resize(np.arange(tokens), row_count(tokens, c.slots)).astype(np.int64)
    return Job(
        name=name,
        work=tokens,
        inputs={
            "command": {"tokens": np.array([tokens], dtype=np.int64)},
            "q": {"values": q.reshape(-1, c.channels)},
            "k": {"values": k[again].reshape(-1, c.channels)},
        },
    )

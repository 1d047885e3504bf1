"""Parameter sets and jobs that prove the softmax in a single pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.online_sum.golden import exponential
from hwsim.rtl.ports import Codes
from hwsim.rtl.random_codes import clip_codes, codes_near, corner_codes, random_codes
from hwsim.rtl.skew import skewed_rows

SETS: tuple[Mapping[str, Any], ...] = (
    {
        "heads": 2,
        "slots": 3,
        "max_tokens": 16,
        "activation": Fixed(width=16, integer=5),
        "total": Fixed(width=16, integer=5, signed=False),
    },
    {
        "heads": 3,
        "slots": 2,
        "max_tokens": 7,
        "initiation_interval": 2,
        "product_stages": 0,
        "output_stages": 2,
        "exp_method": "tables",
        "inverse_method": "division",
        "bits_per_stage": 3,
        "activation": Fixed(width=14, integer=6),
        "exponential": Fixed(width=12, integer=2),
        "total": Fixed(width=20, integer=4),
        "inverse": Fixed(width=16, integer=2),
    },
    {"heads": 1, "slots": 1, "max_tokens": 15, "product_stages": 6},
    {"heads": 2, "slots": 4, "max_tokens": 17},
    {"heads": 6, "slots": 2, "max_tokens": 31, "product_stages": 3, "initiation_interval": 3},
    {},
    {
        "heads": 3,
        "slots": 2,
        "max_tokens": 7,
        "initiation_interval": 2,
        "product_stages": 0,
        "output_stages": 2,
        "activation": Fixed(width=14, integer=6),
        "exponential": Fixed(width=12, integer=2, signed=False, rounding="nearest_even", overflow="saturate"),
        "total": Fixed(width=20, integer=3, signed=False),
        "inverse": Fixed(width=16, integer=2, signed=False, rounding="floor", overflow="saturate"),
    },
)

EXTREMES: tuple[Mapping[str, Any], ...] = (
    {"heads": 1, "slots": 1, "max_tokens": 3, "inverse_method": "division", "bits_per_stage": 8},
    {"heads": 64, "slots": 1, "max_tokens": 1, "initiation_interval": 16, "output_stages": 64},
    {"heads": 1, "slots": 64, "max_tokens": 1 << 16, "total": Fixed(width=31, integer=17, signed=False)},
)


def random_job(c: OnlineSoftmaxContract, rng: np.random.Generator) -> Job:
    """Scores of a few tokens; half of them close together, so that sums grow beyond 1; some, or none, masked."""
    tokens = int(rng.integers(1, min(c.max_tokens, 2 * c.slots + 3), endpoint=True))
    beats = c.rows(tokens) * c.heads
    scores = random_codes(rng, c.activation, (beats, c.slots))
    near = codes_near(rng, c.activation, 0, below=0, above=4, shape=scores.shape)
    values = np.where(rng.random(scores.shape) < 0.5, near, scores)
    return _job(c, "random", tokens, values, rng.random(scores.shape) >= rng.choice([0, 0.1, 0.6]))


def corner_jobs(c: OnlineSoftmaxContract) -> list[Job]:
    """No token, one, as many as slots, one more, one less, the maximum; all masked; extremes; rising and falling."""
    low, high = c.activation.code_range
    lengths = {0, 1, c.slots - 1, c.slots, c.slots + 1, min(c.max_tokens, 17)}
    jobs = [_filled(c, f"{n} tokens", n, np.arange(10_000)) for n in sorted(lengths) if n <= c.max_tokens]
    few = min(c.max_tokens, c.slots + 1)
    jobs.append(_edges(c))
    none = np.zeros((c.rows(few) * c.heads, c.slots), dtype=np.int64)
    jobs.append(_job(c, "all masked", few, none, none))
    jobs += [_filled(c, f"all {code}", few, np.array([code])) for code in corner_codes(c.activation)]
    jobs.append(_filled(c, "from end to end of the range", few, np.array([low, high, high, low, low + 1])))
    for name, step in (("rising", 1), ("falling", -1)):
        jobs.append(_filled(c, name, few, np.arange(10_000) * step * 37 + (low if step > 0 else high)))
    return jobs


def held_jobs(c: OnlineSoftmaxContract) -> list[Job]:
    """Few tokens, whose scores may all be taken, and more tokens."""
    return [_filled(c, f"{n} tokens held", n, np.arange(10_000)) for n in {1, min(c.max_tokens, 17)}]


def scores_beats(c: OnlineSoftmaxContract, tokens: int, values: Codes) -> dict[str, Codes]:
    """The stream `scores` of one command: `values` (beats, slots) with the mask of the skewed order."""
    mask = np.array([row.mask for row in skewed_rows(tokens, c.slots)], dtype=np.int64).reshape(-1, c.slots)
    return {"values": values, "mask": np.repeat(mask, c.heads, axis=0)}


def _edges(c: OnlineSoftmaxContract) -> Job:
    """Scores below a first one of 0 whose exponentials lie at a step of the sum's floor, or a bit from it."""
    tokens = min(c.max_tokens, 17)
    below = -np.arange(min(1 << 14, -c.activation.code_range[0] + 1))
    powers = exponential(c.recurrence, below)
    rest = (powers + 1) & ((1 << max(0, c.exponential.fraction - c.total.fraction)) - 1)
    values = np.resize(below[(rest < 3) & (powers > 0)], c.rows(tokens))
    values[::tokens] = 0
    beats = np.repeat(values, c.heads)[:, None] + np.zeros(c.slots, dtype=np.int64)
    return _job(c, "at the steps of the sum's floor", tokens, beats)


def _filled(c: OnlineSoftmaxContract, name: str, tokens: int, pattern: Codes) -> Job:
    beats = c.rows(tokens) * c.heads
    return _job(c, name, tokens, clip_codes(c.activation, np.resize(pattern, (beats, c.slots))))


def _job(c: OnlineSoftmaxContract, name: str, tokens: int, values: Codes, counts: NDArray[Any] | None = None) -> Job:
    """Make a job; only scores for which `counts` is 1 count, or all."""
    command, scores = {"tokens": np.array([tokens], dtype=np.int64)}, scores_beats(c, tokens, values)
    if counts is not None:
        scores["mask"] = scores["mask"] * counts
    return Job(name=name, work=tokens, inputs={"command": command, "scores": scores})

"""Parameter sets and jobs that prove the GELU unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.gelu_delta.contract import GeluDeltaContract
from hwsim.rtl.ports import Codes
from hwsim.rtl.random_codes import codes_near, corner_codes, random_codes

SETS: tuple[Mapping[str, Any], ...] = (
    {"lanes": 2},
    {
        "lanes": 3,
        "step_log2": 3,
        "limit_steps": 37,
        "output_stages": 2,
        "value": Fixed(width=16, integer=5),
        "delta": Fixed(width=12, integer=0, signed=False),
    },
    {"lanes": 16},
    {"lanes": 1, "step_log2": 8, "limit_steps": 1408, "value": Fixed(width=18, integer=4)},
    {"lanes": 1, "step_log2": 0, "limit_steps": 1, "output_stages": 16},
    {"lanes": 1, "value": Fixed(width=8, integer=3), "delta": Fixed(width=26, integer=0, signed=False)},
)

EXTREMES: tuple[Mapping[str, Any], ...] = (
    {"lanes": 64},
    {"lanes": 1, "step_log2": 12, "limit_steps": 4096, "value": Fixed(width=18, integer=2)},
)


def random_job(c: GeluDeltaContract, rng: np.random.Generator) -> Job:
    """Values of all magnitudes, half of them within the table."""
    shape = (int(rng.integers(1, 40)), c.lanes)
    span = (c.limit_steps + 2) * 2.0**-c.step_log2
    near = codes_near(rng, c.value, 0, below=span, above=span, shape=shape)
    return _job("random", np.where(rng.random(shape) < 0.5, near, random_codes(rng, c.value, shape)))


def corner_jobs(c: GeluDeltaContract) -> list[Job]:
    """Both sides of each entry and of the table's end, with both signs; the extremes; an empty job."""
    low, high = c.value.code_range
    steps = np.arange(c.limit_steps + 2, dtype=np.int64) << c.rest_bits
    around = np.concatenate([steps - 1, steps, steps + 1, -steps - 1, -steps, -steps + 1, corner_codes(c.value)])
    inside = around[(low <= around) & (around <= high)]
    beats = np.resize(inside, (-(-len(inside) // c.lanes), c.lanes))
    return [_job("entries and extremes", beats), _job("nothing", beats[:0]), _job("one beat", beats[:1])]


def _job(name: str, values: Codes) -> Job:
    return Job(name=name, work=len(values), inputs={"x": {"values": values}})

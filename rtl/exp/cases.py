"""Parameter sets and jobs that prove the exponential unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.exp import power_tables
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.ports import Codes
from hwsim.rtl.random_codes import codes_near, corner_codes, random_codes

SETS: tuple[Mapping[str, Any], ...] = (
    {},
    {
        "method": "tables",
        "output_stages": 1,
        "argument": Fixed(width=20, integer=6),
        "result": Fixed(width=14, integer=2),
    },
    {
        "segments_log2": 3,
        "degree": 1,
        "guard_bits": 2,
        "output_stages": 1,
        "argument": Fixed(width=14, integer=6),
        "result": Fixed(width=12, integer=2),
    },
    {"segments_log2": 1, "degree": 4, "guard_bits": 8},
    {"segments_log2": 12, "degree": 1, "output_stages": 32},
    {"argument": Fixed(width=8, integer=4), "result": Fixed(width=3, integer=1, signed=False), "segments_log2": 1},
    {
        "degree": 3,
        "result": Fixed(width=30, integer=2, rounding="nearest_even"),
        "argument": Fixed(width=24, integer=8),
    },
    {"method": "tables", "result": Fixed(width=32, integer=10)},
    {
        "method": "tables",
        "argument": Fixed(width=7, integer=4),
        "result": Fixed(width=28, integer=1, signed=False, rounding="nearest_even", overflow="saturate"),
    },
)

EXTREMES: tuple[Mapping[str, Any], ...] = ()  # SETS have all ends of ranges


def random_job(c: ExpContract, rng: np.random.Generator) -> Job:
    """Arguments of all magnitudes; for three quarters of them the result is not 0."""
    shape = (int(rng.integers(1, 60)),)
    near = codes_near(rng, c.argument, 0, below=2.0**c.clamp_log2, above=0, shape=shape)
    return _job("random", np.where(rng.random(shape) < 0.75, near, random_codes(rng, c.argument, shape)))


def corner_jobs(c: ExpContract) -> list[Job]:
    """Extremes, the neighbours of 0, both sides of halvings or steps of a table, and of the clamp; an empty job."""
    low, high = c.argument.code_range
    halvings = np.arange(1, c.working_fraction + 3) * np.log(2)
    powers = np.arange(1 << power_tables.LIMIT_LOG2 + power_tables.STEP_LOG2) * 2.0**-power_tables.STEP_LOG2
    steps = (powers if c.method == "tables" else halvings) * 2.0**c.argument.fraction
    edges = -np.floor(steps).astype(np.int64)
    around = np.concatenate([edges - 1, edges, edges + 1, [-(1 << c.magnitude_bits) + i for i in (-1, 0, 1)]])
    codes = np.array([*around[(low <= around) & (around <= high)], *corner_codes(c.argument)], dtype=np.int64)
    return [_job("edges and extremes", codes), _job("nothing", codes[:0]), _job("one", codes[:1])]


def _job(name: str, codes: Codes) -> Job:
    return Job(name=name, work=len(codes), inputs={"x": {"value": codes}})

"""Parameter sets and jobs that prove reciprocal and reciprocal square root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.inverse_root.contract import InverseRootContract
from hwsim.rtl.ports import Codes
from hwsim.rtl.random_codes import corner_codes, random_codes

SETS: tuple[Mapping[str, Any], ...] = (
    {},
    {
        "method": "division",
        "bits_per_stage": 3,
        "output_stages": 1,
        "argument": Fixed(width=13, integer=6, signed=False),
        "result": Fixed(width=12, integer=3),
    },
    {
        "segments_log2": 3,
        "degree": 1,
        "guard_bits": 2,
        "output_stages": 1,
        "argument": Fixed(width=13, integer=6, signed=False),
        "result": Fixed(width=12, integer=3, signed=False, overflow="saturate"),
    },
    {"segments_log2": 1, "degree": 4, "guard_bits": 8},
    {"segments_log2": 12, "degree": 1, "output_stages": 64},
    {
        "segments_log2": 2,
        "argument": Fixed(width=4, integer=4, signed=False),
        "result": Fixed(width=8, integer=1, signed=False, overflow="saturate"),
    },
    {
        "degree": 3,
        "argument": Fixed(width=40, integer=20, signed=False),
        "result": Fixed(width=28, integer=0, signed=False, rounding="nearest_even", overflow="saturate"),
    },
    {"method": "division", "bits_per_stage": 8, "result": Fixed(width=32, integer=10)},
)

EXTREMES: tuple[Mapping[str, Any], ...] = ()  # SETS have all ends of ranges


def random_job(c: InverseRootContract, rng: np.random.Generator) -> Job:
    """Arguments of all magnitudes."""
    return _job("random", random_codes(rng, c.argument, (int(rng.integers(1, 60)),)))


def corner_jobs(c: InverseRootContract) -> list[Job]:
    """The extremes, each power of two and its neighbours; an empty job."""
    powers = 1 << np.arange(c.argument.width, dtype=np.int64)
    codes = np.concatenate([powers - 1, powers, (powers + 1)[:-1], corner_codes(c.argument)]).astype(np.int64)
    codes = codes[codes <= c.argument.code_range[1]]
    return [_job("powers of two and extremes", codes), _job("nothing", codes[:0]), _job("one", codes[:1])]


def _job(name: str, codes: Codes) -> Job:
    return Job(name=name, work=len(codes), inputs={"x": {"value": codes}})

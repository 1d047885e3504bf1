"""Parameter sets and jobs that prove the divider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.divide.contract import DivideContract
from hwsim.rtl.ports import Codes
from hwsim.rtl.random_codes import corner_codes, random_codes

SETS: tuple[Mapping[str, Any], ...] = (
    {},
    {
        "bits_per_stage": 3,
        "output_stages": 1,
        "numerator": Fixed(width=12, integer=3, signed=False),
        "denominator": Fixed(width=9, integer=4, signed=False),
        "quotient": Fixed(width=14, integer=5, signed=False, overflow="saturate"),
    },
    {"bits_per_stage": 8, "output_stages": 64},
    {"numerator": Fixed(width=40, integer=30, signed=False), "quotient": Fixed(width=10, integer=10)},
    {"bits_per_stage": 4, "quotient": Fixed(width=12, integer=2, rounding="nearest_even", overflow="saturate")},
    {
        "bits_per_stage": 2,
        "numerator": Fixed(width=9, integer=3, signed=False),
        "denominator": Fixed(width=6, integer=6, signed=False),
        "quotient": Fixed(width=5, integer=3),
    },
)

EXTREMES: tuple[Mapping[str, Any], ...] = ()  # SETS have all ends of ranges


def random_job(c: DivideContract, rng: np.random.Generator) -> Job:
    """Operands of all magnitudes; in a third of the pairs the quotient is near 1."""
    shape = (int(rng.integers(1, 60)),)
    numerator, denominator = random_codes(rng, c.numerator, shape), random_codes(rng, c.denominator, shape)
    aligned = _aligned(c, numerator) + rng.integers(-1, 2, size=shape)
    near = np.clip(aligned, *c.denominator.code_range)
    return _job("random", numerator, np.where(rng.random(shape) < 0.3, near, denominator))


def corner_jobs(c: DivideContract) -> list[Job]:
    """Every corner over every corner, each power of two below every other; an empty job and a single one."""
    over, under = (
        np.array(sorted({*corner_codes(fmt), *(1 << i for i in range(fmt.width))}), dtype=np.int64)
        for fmt in (c.numerator, c.denominator)
    )
    pairs = np.repeat(over, len(under)), np.tile(under, len(over))
    nothing = np.zeros(0, dtype=np.int64)
    return [_job("corners", *pairs), _job("nothing", nothing, nothing), _job("one", over[-1:], under[-1:])]


def _aligned(c: DivideContract, numerator: Codes) -> Codes:
    """The denominators that are about as large as the numerators."""
    places = c.denominator.fraction - c.numerator.fraction
    room = 62 - c.numerator.width
    return numerator << min(places, room) if places >= 0 else numerator >> min(-places, 62)


def _job(name: str, numerator: Codes, denominator: Codes) -> Job:
    inputs = {"x": {"numerator": numerator, "denominator": denominator}}
    return Job(name=name, work=len(numerator), inputs=inputs)

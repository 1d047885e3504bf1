"""Parameter sets and jobs that prove the square root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.ports import Codes
from hwsim.rtl.random_codes import corner_codes, random_codes
from hwsim.rtl.square_root.contract import SquareRootContract

SETS: tuple[Mapping[str, Any], ...] = (
    {},
    {
        "bits_per_stage": 3,
        "output_stages": 1,
        "argument": Fixed(width=12, integer=5, signed=False),
        "result": Fixed(width=9, integer=2, overflow="saturate"),
    },
    {"bits_per_stage": 8, "output_stages": 64, "result": Fixed(width=12, integer=-4, signed=False)},
    {"argument": Fixed(width=40, integer=20, signed=False), "result": Fixed(width=22, integer=1)},
    {
        "bits_per_stage": 2,
        "argument": Fixed(width=5, integer=5, signed=False),
        "result": Fixed(width=3, integer=3, signed=False, rounding="nearest_even", overflow="saturate"),
    },
)

EXTREMES: tuple[Mapping[str, Any], ...] = ()  # SETS have all ends of ranges


def random_job(c: SquareRootContract, rng: np.random.Generator) -> Job:
    """Arguments of all magnitudes; half of them next to a square, or to the middle between two roots."""
    shape = (int(rng.integers(1, 60)),)
    root = rng.integers(0, 1 << c.root_bits, size=shape)
    middle = root * root + np.where(rng.random(shape) < 0.5, root, 0)
    near = (middle >> c.zeros) + rng.integers(-1, 2, size=shape)
    codes = np.clip(near, *c.argument.code_range)
    return _job("random", np.where(rng.random(shape) < 0.5, codes, random_codes(rng, c.argument, shape)))


def corner_jobs(c: SquareRootContract) -> list[Job]:
    """The extremes, each power of two and its neighbours; an empty job and a single one."""
    powers = 1 << np.arange(c.argument.width, dtype=np.int64)
    codes = np.concatenate([powers - 1, powers, powers + 1, corner_codes(c.argument)]).astype(np.int64)
    codes = codes[codes <= c.argument.code_range[1]]
    return [_job("powers of two and extremes", codes), _job("nothing", codes[:0]), _job("one", codes[:1])]


def _job(name: str, codes: Codes) -> Job:
    return Job(name=name, work=len(codes), inputs={"x": {"value": codes}})

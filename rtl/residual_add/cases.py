"""Parameter sets and jobs that prove the residual add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.ports import Codes
from hwsim.rtl.random_codes import corner_codes, random_codes
from hwsim.rtl.residual_add.contract import ResidualAddContract

SETS: tuple[Mapping[str, Any], ...] = (
    {"lanes": 2},
    {
        "lanes": 3,
        "output_stages": 2,
        "activation": Fixed(width=14, integer=5),
        "branch": Fixed(width=11, integer=4),
    },
    {},
    {"lanes": 1, "output_stages": 160, "activation": Fixed(width=16, integer=6, rounding="nearest_even")},
    {"lanes": 64, "activation": Fixed(width=16, integer=6, overflow="saturate"), "branch": Fixed(width=20, integer=8)},
    {
        "lanes": 4,
        "activation": Fixed(width=9, integer=3, signed=False, overflow="saturate"),
        "branch": Fixed(width=6, integer=4, signed=False),
    },
)

EXTREMES: tuple[Mapping[str, Any], ...] = ()  # SETS have all ends of ranges


def random_job(c: ResidualAddContract, rng: np.random.Generator) -> Job:
    """Numbers of all magnitudes, of which some sums exceed the format."""
    shape = (int(rng.integers(1, 60)), c.lanes)
    return _job("random", random_codes(rng, c.activation, shape), random_codes(rng, c.branch, shape))


def corner_jobs(c: ResidualAddContract) -> list[Job]:
    """All extremes plus all extremes, one beat, no beat."""
    pairs = [(x, branch) for x in corner_codes(c.activation) for branch in corner_codes(c.branch)]
    x, branch = (np.tile(np.array(codes, dtype=np.int64)[:, None], (1, c.lanes)) for codes in zip(*pairs))
    return [_job("extremes", x, branch), _job("one", x[:1], branch[:1]), _job("nothing", x[:0], branch[:0])]


def _job(name: str, x: Codes, branch: Codes) -> Job:
    return Job(name=name, work=len(x), inputs={"x": {"values": x}, "branch": {"values": branch}})

"""Parameter sets and jobs that prove the multiply-accumulate tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.mac_tile.contract import MacTileContract
from hwsim.rtl.random_codes import corner_codes, random_codes

SETS: tuple[Mapping[str, Any], ...] = (
    {"in_lanes": 4, "out_lanes": 3},
    {
        "in_lanes": 3,
        "out_lanes": 2,
        "product_stages": 1,
        "adder_levels": 1,
        "output_stages": 2,
        "activation": Fixed(width=12, integer=4),
        "weight": Fixed(width=9, integer=2),
        "bias": Fixed(width=16, integer=3),
        "accumulator": Fixed(width=24, integer=8),
    },
    {"in_lanes": 1, "out_lanes": 1, "product_stages": 6, "adder_levels": 6, "output_stages": 16},
    {"in_lanes": 8, "out_lanes": 8, "weight": Fixed(width=16, integer=0), "bias": Fixed(width=16, integer=5)},
    {"in_lanes": 16, "out_lanes": 16},
    {"in_lanes": 64, "out_lanes": 1, "adder_levels": 3},
)

EXTREMES: tuple[Mapping[str, Any], ...] = ({"in_lanes": 2, "out_lanes": 64},)


def random_job(c: MacTileContract, rng: np.random.Generator) -> Job:
    """A few sums of one to eight beats."""
    lengths = rng.integers(1, 9, size=rng.integers(1, 7))
    beats = int(lengths.sum())
    return _job(
        c,
        "random",
        lengths.tolist(),
        random_codes(rng, c.activation, (beats, c.in_lanes)),
        random_codes(rng, c.weight, (beats, c.out_lanes * c.in_lanes)),
        random_codes(rng, c.bias, (len(lengths), c.out_lanes)),
    )


def corner_jobs(c: MacTileContract) -> list[Job]:
    """All extremes times all extremes, sums of one beat, sums long enough to wrap, no sum at all."""
    jobs = [_job(c, "nothing", [], *(np.zeros((0, n), dtype=np.int64) for n in _widths(c)))]
    for x in corner_codes(c.activation):
        for w in corner_codes(c.weight):
            operands = [np.full((5, n), code) for n, code in zip(_widths(c), (x, w, corner_codes(c.bias)[0]))]
            jobs.append(_job(c, f"x {x}, w {w}", [1, 4], operands[0], operands[1], operands[2][:2]))
    return jobs


def _widths(c: MacTileContract) -> tuple[int, int, int]:
    return c.in_lanes, c.out_lanes * c.in_lanes, c.out_lanes


def _job(c: MacTileContract, name: str, lengths: list[int], x: Any, w: Any, bias: Any) -> Job:
    last = np.zeros(len(x), dtype=np.int64)
    last[np.cumsum(lengths, dtype=np.int64) - 1] = 1
    return Job(
        name=name,
        work=len(x),
        inputs={"x": {"values": x, "last": last}, "w": {"values": w}, "bias": {"values": bias}},
    )

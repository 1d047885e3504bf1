"""Parameter sets and jobs that prove the fill unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.rtl.block import Job
from hwsim.rtl.fill.contract import FillContract
from hwsim.rtl.random_codes import corner_codes, random_codes

SETS: tuple[Mapping[str, Any], ...] = (
    {"lanes": 2, "number_bits": 12, "max_beats": 20},
    {"lanes": 3, "number_bits": 9, "max_beats": 31, "output_stages": 2},
    {},
    {"lanes": 64, "number_bits": 1, "max_beats": 1, "output_stages": 16},
    {"lanes": 1, "number_bits": 53, "max_beats": 100, "output_stages": 1},
)

EXTREMES: tuple[Mapping[str, Any], ...] = ()
LEFT_OUT: Mapping[tuple[str, int], str] = {
    ("max_beats", (1 << 24) - 1): "the corner jobs have commands of as many beats, which takes hours",
}


def random_job(c: FillContract, rng: np.random.Generator) -> Job:
    """One to five commands of some beats; the last has one at least."""
    beats = rng.integers(0, min(c.max_beats, 30) + 1, size=rng.integers(1, 6))
    beats[-1] = max(beats[-1], 1)
    return _job(c, "random", beats.tolist(), random_codes(rng, c.number, beats.shape).tolist())


def corner_jobs(c: FillContract) -> list[Job]:
    """Extreme numbers, one beat, all beats, no beat before and after others, no command."""
    codes = corner_codes(c.number)
    some = min(c.max_beats, 3)
    return [
        _job(c, "extremes", [some] * len(codes), codes),
        _job(c, "one", [1], codes[:1]),
        _job(c, "all", [c.max_beats], codes[-1:]),
        _job(c, "none before, between and after", [0, some, 0, 0, 1, 0], [codes[i % len(codes)] for i in range(6)]),
        _job(c, "a command of none", [0], codes[:1]),
        _job(c, "nothing", [], []),
    ]


def _job(c: FillContract, name: str, beats: list[int], values: list[int]) -> Job:
    command = {"beats": np.array(beats, dtype=np.int64), "value": np.array(values, dtype=np.int64)}
    return Job(name=name, work=tuple(beats), inputs={"command": command})

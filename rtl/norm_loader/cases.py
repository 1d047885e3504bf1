"""Parameter sets and jobs that prove the norm loader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.norm_loader.contract import NormLoaderContract
from hwsim.rtl.random_codes import corner_codes, random_codes

SETS: tuple[Mapping[str, Any], ...] = (
    {"features": 16, "lanes": 2, "beat_numbers": 4, "number_bits": 9, "max_norms": 3, "pause": 3},
    {"features": 30, "lanes": 3, "beat_numbers": 3, "number_bits": 12, "max_norms": 5},
    {},
    {"features": 1, "lanes": 1, "beat_numbers": 1, "number_bits": 32, "max_norms": 1},
    {"features": 64, "lanes": 1, "beat_numbers": 64, "number_bits": 1, "max_norms": 4},
    {"features": 192, "lanes": 8, "beat_numbers": 8, "pause": 256},
)

EXTREMES: tuple[Mapping[str, Any], ...] = ({"features": 128, "lanes": 64, "beat_numbers": 64, "max_norms": 1024},)
LEFT_OUT: Mapping[tuple[str, int], str] = {
    ("features", 1 << 16): "a norm takes 2,048 beats at least, and the jobs have hundreds of norms",
}


def random_job(c: NormLoaderContract, rng: np.random.Generator) -> Job:
    """One to four commands of some norms; the last has one at least."""
    norms = rng.integers(0, min(c.max_norms, 4) + 1, size=rng.integers(1, 5))
    norms[-1] = max(norms[-1], 1)
    beats = int(norms.sum()) * 2 * c.vector_beats
    return _job("random", norms.tolist(), random_codes(rng, _number(c), (beats, c.beat_numbers)))


def corner_jobs(c: NormLoaderContract) -> list[Job]:
    """One norm of each extreme number, as many as a command names, none before and after others, no command."""
    rng = np.random.default_rng(20231028)
    lists = {
        "one": [1],
        "all": [c.max_norms],
        "none before, between and after": [0, 1, 0, 0, 1, 0],
        "a command of none": [0],
        "nothing": [],
    }
    norm = 2 * c.vector_beats
    jobs = [
        _job(f"code {code}", [1], np.full((norm, c.beat_numbers), code, dtype=np.int64))
        for code in corner_codes(_number(c))
    ]
    for name, norms in lists.items():
        jobs.append(_job(name, norms, random_codes(rng, _number(c), (sum(norms) * norm, c.beat_numbers))))
    return jobs


def _number(c: NormLoaderContract) -> Fixed:
    return c.ports[1].fields[0].format


def _job(name: str, norms: list[int], numbers: Any) -> Job:
    command = {"norms": np.array(norms, dtype=np.int64)}
    return Job(name=name, work=tuple(norms), inputs={"command": command, "memory": {"numbers": numbers}})

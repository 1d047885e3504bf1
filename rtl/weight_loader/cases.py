"""Parameter sets and jobs that prove the weight loader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.random_codes import corner_codes, random_codes
from hwsim.rtl.weight_loader.contract import Group, WeightLoaderContract

SETS: tuple[Mapping[str, Any], ...] = (
    {"in_lanes": 2, "out_lanes": 4, "beat_numbers": 4, "weight_words": 6, "bias_words": 3},
    {
        "in_lanes": 3,
        "out_lanes": 2,
        "beat_numbers": 3,
        "number_bits": 9,
        "weight_words": 8,
        "bias_words": 4,
        "bias_integer": 2,
        "attention_bias_integer": 6,
        "bias": Fixed(width=12, integer=6),
        "load_stages": 2,
        "read_stages": 1,
    },
    {"in_lanes": 1, "out_lanes": 1, "beat_numbers": 1, "weight_words": 2, "bias_words": 2, "load_stages": 5},
    {"in_lanes": 4, "out_lanes": 4, "beat_numbers": 16, "weight_words": 16, "bias_words": 8, "read_stages": 3},
    {"weight_words": 8, "bias_words": 4},
    {
        "in_lanes": 4,
        "out_lanes": 12,
        "beat_numbers": 8,
        "weight_words": 12,
        "bias_words": 5,
        "bias": Fixed(width=10, integer=6, overflow="saturate"),
    },
)

EXTREMES: tuple[Mapping[str, Any], ...] = (
    {
        "in_lanes": 64,
        "out_lanes": 1,
        "beat_numbers": 64,
        "number_bits": 2,
        "weight_words": 1,
        "bias_words": 1,
        "bias_integer": 1,
        "attention_bias_integer": 2,
        "load_stages": 16,
        "read_stages": 16,
    },
    {
        "in_lanes": 1,
        "out_lanes": 64,
        "beat_numbers": 32,
        "number_bits": 32,
        "weight_words": 3,
        "bias_words": 2,
        "bias_integer": 32,
        "attention_bias_integer": 1,
    },
)
FULL = "banks are filled and read over and over in full, which takes millions of cycles"
LEFT_OUT: Mapping[tuple[str, int], str] = {("weight_words", 1 << 16): FULL, ("bias_words", 1 << 16): FULL}


def random_job(c: WeightLoaderContract, rng: np.random.Generator) -> Job:
    """One to five groups of any size that fits, read a few times or often."""
    groups = []
    for _ in range(rng.integers(1, 6)):
        out_tiles = int(rng.integers(1, min(c.bias_words, c.weight_words) + 1))
        in_tiles = int(rng.integers(1, c.weight_words // out_tiles + 1))
        reads = int(rng.integers(1, rng.choice([3, 4 * c.weight_words])))
        groups.append(Group(in_tiles=in_tiles, out_tiles=out_tiles, reads=reads, attention=bool(rng.integers(2))))
    return _job(c, "random", groups, rng)


def corner_jobs(c: WeightLoaderContract) -> list[Job]:
    """The smallest and the largest groups, alone and one after the other, short and long reads; an empty job."""
    rng = np.random.default_rng(1)
    out_tiles = min(c.bias_words, c.weight_words)
    small = Group(in_tiles=1, out_tiles=1, reads=1)
    wide = Group(in_tiles=1, out_tiles=out_tiles, reads=1, attention=True)
    deep = Group(in_tiles=c.weight_words, out_tiles=1, reads=3 * c.weight_words)
    jobs = [
        _job(c, f"code {code}", [small, wide, deep], rng, np.int64(code))
        for code in corner_codes(Fixed(width=c.number_bits, integer=1))
    ]
    lists = {
        "nothing": [],
        "one tile": [small],
        "small": [small] * 9,
        "large": [deep] * 3,
        "mixed": [small, deep, wide, wide, small, deep],
    }
    return [*jobs, *(_job(c, name, groups, rng) for name, groups in lists.items())]


def _job(
    c: WeightLoaderContract, name: str, groups: list[Group], rng: np.random.Generator, fill: np.int64 | None = None
) -> Job:
    beats = sum(c.beats(group) for group in groups)
    number = c.ports[1].fields[0].format
    shape = (beats, c.beat_numbers)
    none = [np.zeros(0, dtype=np.int64)]
    words = [rng.integers(0, group.words, size=group.reads) for group in groups]
    tiles = [rng.integers(0, group.out_tiles, size=group.reads) for group in groups]
    lasts = [(np.arange(group.reads) == group.reads - 1).astype(np.int64) for group in groups]
    return Job(
        name=name,
        work=groups,
        inputs={
            "command": {
                "in_tiles": np.array([g.in_tiles for g in groups], dtype=np.int64),
                "out_tiles": np.array([g.out_tiles for g in groups], dtype=np.int64),
                "attention": np.array([g.attention for g in groups], dtype=np.int64),
            },
            "memory": {"numbers": random_codes(rng, number, shape) if fill is None else np.full(shape, fill)},
            "read": {
                "word": np.concatenate(none + words),
                "tile": np.concatenate(none + tiles),
                "last": np.concatenate(none + lasts),
            },
        },
    )

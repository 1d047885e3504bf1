"""Parameter sets and jobs that prove the unified linear unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.linear.command import Command
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.ports import Codes, Port
from hwsim.rtl.random_codes import corner_codes, random_codes

SMALL: Mapping[str, Any] = {"in_lanes": 3, "out_lanes": 2, "max_in_tiles": 4, "max_out_tiles": 3, "weight_words": 10}

SETS: tuple[Mapping[str, Any], ...] = (
    {**SMALL, "max_tokens": 16, "in_fifo": 6},
    {
        "in_lanes": 3,
        "out_lanes": 1,
        "max_tokens": 12,
        "max_in_tiles": 3,
        "max_out_tiles": 5,
        "weight_words": 12,
        "in_fifo": 4,
        "index_fifo": 5,
        "out_fifo": 3,
        "read_stages": 2,
        "gather_stages": 3,
        "product_stages": 1,
        "adder_levels": 1,
        "output_stages": 1,
        "step_log2": 3,
        "limit_steps": 37,
        "gelu_output_stages": 1,
        "write_stages": 3,
        "score_stages": 5,
        "scatter_stages": 2,
        "activation": Fixed(width=14, integer=4),
        "weight": Fixed(width=9, integer=2),
        "bias": Fixed(width=16, integer=3),
        "accumulator": Fixed(width=16, integer=6),
        "delta": Fixed(width=12, integer=0, signed=False),
        "score": Fixed(width=10, integer=1, signed=False),
    },
    # the minimum of every parameter
    {"in_lanes": 1, "out_lanes": 1, "max_tokens": 1, "max_in_tiles": 1, "max_out_tiles": 1, "weight_words": 1},
    # a layer of D = 32 with a hidden size of 64, by tiles of 8
    {"in_lanes": 8, "out_lanes": 8, "max_tokens": 17, "max_in_tiles": 8, "max_out_tiles": 8, "weight_words": 32},
    {
        **SMALL,
        "in_lanes": 1,
        "out_lanes": 3,
        "weight_words": 12,
        "read_stages": 1,
        "gather_stages": 76,
        "write_stages": 4,
    },
    {**SMALL, "in_lanes": 4, "max_tokens": 40, "index_fifo": 4, "in_fifo": 5, "score_stages": 2, "adder_levels": 1},
    # Edge-MoE's
    {},
)

EXTREMES: tuple[Mapping[str, Any], ...] = (
    # deep pipelines and queues
    {
        **SMALL,
        "in_lanes": 64,
        "out_lanes": 1,
        "max_tokens": 20,
        "out_fifo": 64,
        "read_stages": 16,
        "gather_stages": 256,
        "product_stages": 6,
        "adder_levels": 6,
        "output_stages": 16,
        "step_log2": 12,
        "limit_steps": 4096,
        "gelu_output_stages": 16,
        "write_stages": 16,
        "score_stages": 256,
        "scatter_stages": 256,
    },
    # long queues, and enough tokens to fill them
    {
        "in_lanes": 1,
        "out_lanes": 1,
        "max_tokens": 1200,
        "max_in_tiles": 2,
        "max_out_tiles": 1024,
        "weight_words": 1 << 16,
        "in_fifo": 1024,
        "index_fifo": 1024,
        "step_log2": 0,
        "limit_steps": 1,
    },
    {"in_lanes": 1, "out_lanes": 2, "max_tokens": 2, "max_in_tiles": 1024, "max_out_tiles": 3, "weight_words": 1024},
    {**SMALL, "in_lanes": 1, "out_lanes": 64, "max_tokens": 5},
)
LEFT_OUT: Mapping[tuple[str, int], str] = {
    ("max_tokens", 1 << 16): "several jobs have commands of all tokens, and the queues that matter are shorter",
}


def random_job(c: LinearContract, rng: np.random.Generator) -> Job:
    """One to four commands of all kinds, some tens of tiles each; the last has tokens."""
    fewest = [*np.zeros(rng.integers(0, 4), dtype=int), 1]
    return _job(c, "random", [_random_command(c, rng, tokens) for tokens in fewest], rng)


def corner_jobs(c: LinearContract) -> list[Job]:
    """No command; no token; all tokens in each mode; both banks full; extremes times extremes."""
    rng = np.random.default_rng(20231028)
    ins = min(c.max_in_tiles, 4)
    outs = min(c.max_out_tiles, c.weight_words // ins, 3)
    none = Command(tokens=0, in_tiles=1, out_tiles=1, use_expert=True, use_score=True)
    tiny = Command(tokens=min(c.max_tokens, 20), in_tiles=1, out_tiles=1)
    expert = {"use_expert": True, "use_score": True}
    jobs = [
        _job(c, "nothing", [], rng),
        _job(c, "one token, one tile", [Command(tokens=1, in_tiles=1, out_tiles=1)], rng),
        _job(c, "an expert without tokens", [none], rng),
        _job(c, "no tokens before, between and after", [none, none, tiny, none, tiny, none], rng),
        # the hazard of Edge-MoE's queues: all tokens
        _job(c, "an expert with all tokens", [_all_tokens(c, 1, outs, **expert)], rng),
        _job(c, "all tokens, one tile each", [_all_tokens(c, 1, 1, **expert), _all_tokens(c, 1, 1)], rng),
        _job(c, "all out tiles", [Command(tokens=1, in_tiles=1, out_tiles=c.max_out_tiles)], rng),
        _job(c, "all in tiles", [Command(tokens=1, in_tiles=c.max_in_tiles, out_tiles=1)], rng),
        _job(c, "full banks", [_full_bank(c), _full_bank(c), tiny], rng),
        _job(c, "each mode", [*_each_mode(ins, outs, c.max_tokens)], rng),
    ]
    for x in corner_codes(c.activation):
        for w in corner_codes(c.weight)[::2]:
            fill = {"x": x, "w": w, "bias": corner_codes(c.bias)[0], "score": corner_codes(c.score)[-1]}
            command = Command(tokens=1, in_tiles=ins, out_tiles=1, use_gelu=x < 0, use_score=w < 0)
            jobs.append(_job(c, f"x {x}, w {w}", [command], rng, fill))
    return jobs


def held_jobs(c: LinearContract) -> list[Job]:
    """Jobs that fill the unit while no result is taken, with sums of few and of many tiles."""
    rng = np.random.default_rng(20231028)
    commands = [Command(tokens=c.max_tokens, in_tiles=ins, out_tiles=1) for ins in {1, c.max_in_tiles}]
    return [_job(c, f"{command.in_tiles} in tiles held", [command], rng) for command in commands]


def _random_command(c: LinearContract, rng: np.random.Generator, fewest_tokens: int) -> Command:
    ins = int(rng.integers(1, min(c.max_in_tiles, 6) + 1))
    outs = int(rng.integers(1, min(c.max_out_tiles, c.weight_words // ins, 6) + 1))
    tokens = int(rng.integers(fewest_tokens, min(c.max_tokens, max(2, 24 // (ins * outs))) + 1))
    gelu, expert, score = (bool(flag) for flag in rng.integers(0, 2, size=3))
    return Command(tokens=tokens, in_tiles=ins, out_tiles=outs, use_gelu=gelu, use_expert=expert, use_score=score)


def _all_tokens(c: LinearContract, ins: int, outs: int, **flags: bool) -> Command:
    return Command(tokens=c.max_tokens, in_tiles=ins, out_tiles=outs, **flags)


def _full_bank(c: LinearContract) -> Command:
    """As many tiles as a bank holds, or nearly as many; fewer for the larger sets, to save time."""
    ins = min(c.max_in_tiles, 12)
    return Command(tokens=1, in_tiles=ins, out_tiles=min(c.max_out_tiles, c.weight_words // ins, 12))


def _each_mode(ins: int, outs: int, tokens: int) -> Iterable[Command]:
    for flags in range(8):
        gelu, expert, score = (bool(flags >> bit & 1) for bit in range(3))
        some = min(tokens, 2)
        yield Command(tokens=some, in_tiles=ins, out_tiles=outs, use_gelu=gelu, use_expert=expert, use_score=score)


def _job(
    c: LinearContract,
    name: str,
    commands: list[Command],
    rng: np.random.Generator,
    fill: Mapping[str, int] | None = None,
) -> Job:
    """The input streams of the commands, random or with one constant value."""
    experts, scored = [k for k in commands if k.use_expert], [k for k in commands if k.use_score]
    counts = {
        "w": sum(k.words for k in commands) * c.out_lanes,
        "bias": sum(k.out_tiles for k in commands),
        "x": sum(k.tokens * k.in_tiles for k in commands),
        "score": sum(k.tokens for k in scored),
        "dst": sum(k.tokens * k.out_tiles for k in scored),
    }
    ports = {port.name: port for port in c.ports}
    beats = {key: _data(ports[key], count, rng, fill.get(key) if fill else None) for key, count in counts.items()}
    queues = [rng.permutation(c.max_tokens)[: k.tokens] for k in experts]
    lasts = {"w": [k.words * c.out_lanes for k in commands], "bias": [k.out_tiles for k in commands]}
    inputs = {
        "command": {field.name: _codes(getattr(k, field.name) for k in commands) for field in ports["command"].fields},
        "index": {"token": np.concatenate([_codes([]), *queues])},
        **{key: {ports[key].fields[0].name: codes} for key, codes in beats.items()},
    }
    for key, lengths in lasts.items():
        inputs[key]["last"] = np.zeros(counts[key], dtype=np.int64)
        inputs[key]["last"][np.cumsum(lengths, dtype=np.int64) - 1] = 1
    return Job(name=name, work=tuple(commands), inputs=inputs)


def _data(port: Port, count: int, rng: np.random.Generator, fill: int | None) -> Codes:
    field = port.fields[0]
    shape = (count,) if field.lanes is None else (count, field.lanes)
    if fill is not None:
        return np.full(shape, fill, dtype=np.int64)
    codes = random_codes(rng, field.format, shape)
    # every second token is small, so that sums often lie in the curved part of GELU
    return np.where(rng.random(shape) < 0.5, codes >> (field.format.width // 3), codes)


def _codes(values: Iterable[Any]) -> Codes:
    return np.array([int(value) for value in values], dtype=np.int64)

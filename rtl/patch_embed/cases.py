"""Parameter sets and jobs that prove the patch embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.patch_embed.command import Command
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.ports import Codes, Port
from hwsim.rtl.random_codes import corner_codes, random_codes

SMALL: Mapping[str, Any] = {
    "channels": 2,
    "patch": 4,
    "stripe_patches": 4,
    "features": 6,
    "max_stripes": 3,
    "in_lanes": 2,
    "out_lanes": 2,
    "beat_pixels": 8,
    "beat_values": 1,
}

SETS: tuple[Mapping[str, Any], ...] = (
    {**SMALL, "in_lanes": 4, "interval": 2},
    {
        "channels": 1,
        "patch": 2,
        "stripe_patches": 6,
        "features": 12,
        "max_stripes": 5,
        "in_lanes": 1,
        "out_lanes": 3,
        "beat_pixels": 4,
        "beat_values": 3,
        "product_stages": 1,
        "adder_levels": 1,
        "output_stages": 2,
        "pixel": Fixed(width=9, integer=2),
        "weight": Fixed(width=12, integer=1),
        "bias": Fixed(width=14, integer=3),
        "position": Fixed(width=15, integer=4),
        "accumulator": Fixed(width=22, integer=8),
    },
    # one of everything
    {
        "channels": 1,
        "patch": 1,
        "stripe_patches": 1,
        "features": 1,
        "max_stripes": 1,
        "in_lanes": 1,
        "out_lanes": 1,
        "beat_pixels": 1,
        "beat_values": 1,
    },
    # an image of 3 x 16 x 32 for a layer of 32 features, by tiles of 8
    {"patch": 8, "stripe_patches": 4, "features": 32, "max_stripes": 2, "in_lanes": 8, "out_lanes": 8},
    {**SMALL, "features": 8, "out_lanes": 4, "beat_pixels": 16, "beat_values": 2, "adder_levels": 1},
    # Edge-MoE's
    {},
)

ONE_PIXEL: Mapping[str, Any] = {"patch": 1, "in_lanes": 1}

EXTREMES: tuple[Mapping[str, Any], ...] = (
    {
        **SMALL,
        **ONE_PIXEL,
        "channels": 64,
        "stripe_patches": 2,
        "features": 64,
        "out_lanes": 64,
        "beat_pixels": 2,
        "beat_values": 64,
        "product_stages": 6,
        "adder_levels": 6,
        "output_stages": 32,
    },
    {**SMALL, "channels": 1, "patch": 64, "stripe_patches": 2, "in_lanes": 64, "beat_pixels": 128, "interval": 16},
    {**SMALL, **ONE_PIXEL, "channels": 1, "stripe_patches": 1024, "beat_values": 2},
    {**SMALL, **ONE_PIXEL, "stripe_patches": 1, "features": 4096, "max_stripes": 1024, "beat_pixels": 1},
)


def random_job(c: PatchEmbedContract, rng: np.random.Generator) -> Job:
    """One to four commands; the first loads, others may; the last has a stripe."""
    commands = [
        Command(
            stripes=int(rng.integers(0, min(c.max_stripes, _few(c)) + 1)),
            load=bool(number == 0 or rng.integers(4) == 0),
            class_token=bool(rng.integers(2)),
        )
        for number in range(rng.integers(0, 4))
    ]
    return _job(c, "random", [*commands, Command(stripes=1, load=not commands)], rng)


def corner_jobs(c: PatchEmbedContract) -> list[Job]:
    """No command; nothing, a load or a class token alone; all stripes; one after the other; extremes times extremes."""
    rng = np.random.default_rng(20231028)
    load, token = Command(stripes=0, load=True), Command(stripes=0, class_token=True)
    nothing, one = Command(stripes=0), Command(stripes=1)
    image = Command(stripes=min(c.max_stripes, _few(c)), load=True, class_token=True)
    jobs = [
        _job(c, "nothing", [], rng),
        _job(c, "nothing asked for", [nothing], rng),
        _job(c, "a class token alone", [token], rng),
        _job(c, "one part a command", [nothing, token, load, nothing, one, token], rng),
        _job(c, "images in a row", [image, Command(stripes=image.stripes, class_token=True), one], rng),
    ]
    for x in corner_codes(c.pixel):
        for w in corner_codes(c.weight)[::2]:
            fill = {"pixels": x, "w": w, "bias": corner_codes(c.bias)[0], "position": corner_codes(c.position)[-1]}
            jobs.append(_job(c, f"pixel {x}, w {w}", [Command(stripes=1, load=True)], rng, fill))
    return jobs


def _few(c: PatchEmbedContract) -> int:
    """Stripes that are simulated in seconds."""
    return max(1, 10_000 // (c.stripe_iterations * c.interval))


def _job(
    c: PatchEmbedContract,
    name: str,
    commands: Sequence[Command],
    rng: np.random.Generator,
    fill: Mapping[str, int] | None = None,
) -> Job:
    """The input streams of the commands, random or of one number each."""
    loads, stripes = sum(k.load for k in commands), sum(k.stripes for k in commands)
    tokens = sum(k.class_token for k in commands) + stripes * c.stripe_patches
    counts = {
        "w": loads * c.weight_beats,
        "bias": loads * c.out_tiles,
        "pixels": stripes * c.stripe_beats,
        "position": tokens * c.token_beats,
    }
    ports = {port.name: port for port in c.ports}
    command = {
        field.name: np.array([int(getattr(k, field.name)) for k in commands], dtype=np.int64)
        for field in ports["command"].fields
    }
    beats = {
        key: {"values": _data(ports[key], count, rng, fill.get(key) if fill else None)} for key, count in counts.items()
    }
    return Job(name=name, work=tuple(commands), inputs={"command": command, **beats})


def _data(port: Port, count: int, rng: np.random.Generator, fill: int | None) -> Codes:
    field = port.fields[0]
    shape = (count, field.lanes or 1)
    return random_codes(rng, field.format, shape) if fill is None else np.full(shape, fill, dtype=np.int64)

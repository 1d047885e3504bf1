"""The patch embedding's golden model, its timing, its messages."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest

from hwsim.mapping.formats import Fixed
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import ContractError
from hwsim.rtl.patch_embed.command import Command
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.patch_embed.golden import embed, patches, run
from hwsim.rtl.ports import Streams
from tests.rtl.simulation import SEED

PUBLISHED, RTL = PatchEmbedContract.from_preset("published"), PatchEmbedContract.from_preset("rtl")


def wrapped(value: Fraction, fmt: Fixed) -> Fraction:
    """A value floored to the steps of a format, and wrapped into its range."""
    step, span = Fraction(2) ** -fmt.fraction, Fraction(2) ** fmt.integer
    low = -span / 2 if fmt.signed else Fraction(0)
    return (floor(value / step) * step - low) % span + low


def slow_embed(c: PatchEmbedContract, inputs: Streams) -> list[list[int]]:
    """Beats of y, number by number in rational numbers, each found by its address in the streams."""
    acc = c.accumulator
    numbers = {name: np.asarray(inputs[name]["values"]).reshape(-1).tolist() for name in ("w", "bias", "pixels")}
    positions = iter(np.asarray(inputs["position"]["values"]).reshape(-1).tolist())
    columns, loads, stripe, y = c.patch * c.stripe_patches, -1, 0, []

    def position() -> Fraction:
        return wrapped(next(positions) * Fraction(2) ** -c.position.fraction, acc)

    def product(feature: int, token: int, channel: int, row: int, column: int) -> Fraction:
        at = ((stripe * c.channels + channel) * c.patch + row) * columns + token * c.patch + column
        of = (((loads * c.features + feature) * c.channels + channel) * c.patch + row) * c.patch + column
        exact = numbers["pixels"][at] * numbers["w"][of] * Fraction(2) ** -(c.pixel.fraction + c.weight.fraction)
        return wrapped(exact, acc)

    def total(feature: int, token: int) -> Fraction:
        bias = numbers["bias"][loads * c.features + feature] * Fraction(2) ** -c.bias.fraction
        places = np.ndindex(c.channels, c.patch, c.patch)
        return wrapped(bias, acc) + sum(product(feature, token, *place) for place in places)

    for stripes, load, class_token in zip(*(inputs["command"][n].tolist() for n in ("stripes", "load", "class_token"))):
        loads += load
        if class_token:
            y += [position() for _ in range(c.features)]
        for _ in range(stripes):
            y += [total(f, t) + position() for t in range(c.stripe_patches) for f in range(c.features)]
            stripe += 1
    codes = [int(wrapped(value, acc) * 2**acc.fraction) for value in y]
    return [codes[i : i + c.beat_values] for i in range(0, len(codes), c.beat_values)]


@pytest.mark.parametrize("index", [0, 1, 2, 4])
def test_golden_model_equals_a_loop_over_numbers(index: int) -> None:
    block, rng = BLOCKS["patch_embed"], np.random.default_rng(SEED)
    c = block.sets()[index]
    for job in [*block.cases.corner_jobs(c)[:7], block.cases.random_job(c, rng)]:
        assert run(c, job.inputs)["y"]["values"].tolist() == slow_embed(c, job.inputs), job.name


def test_patches_go_row_by_row_and_their_pixels_channel_by_channel() -> None:
    c = PatchEmbedContract.from_preset("rtl", channels=2, patch=2, in_lanes=2, stripe_patches=2, beat_pixels=4)
    image = np.arange(2 * 4 * 4).reshape(2, 4, 4)
    assert patches(c, image).tolist() == [
        [0, 1, 4, 5, 16, 17, 20, 21],
        [2, 3, 6, 7, 18, 19, 22, 23],
        [8, 9, 12, 13, 24, 25, 28, 29],
        [10, 11, 14, 15, 26, 27, 30, 31],
    ]


def test_the_embedding_is_near_a_convolution_in_float64() -> None:
    """Each of 768 products, and the position, lose less than a step of 2^-22 by flooring; a bias loses nothing."""
    rng = np.random.default_rng(SEED)
    image, w = rng.integers(0, 256, size=(3, 32, 256)), rng.integers(-3000, 3000, size=(192, 3, 16, 16))
    bias, position = rng.integers(-9000, 9000, size=192), rng.integers(-(1 << 22), 1 << 22, size=(32, 192))
    y = embed(RTL, patches(RTL, image), w.reshape(192, -1), bias, position)
    windows = (image / 256).reshape(3, 2, 16, 16, 16)  # channel, stripe, row, patch, column
    exact = np.einsum("csrpx,fcrx->spf", windows, w / 2**16).reshape(32, 192) + bias / 2**11 + position / 2**22
    error = exact - y / 2**22
    assert error.min() >= 0
    assert error.max() < 768 * 2.0**-22


def test_a_stripe_takes_9216_iterations_and_384_beats() -> None:
    assert (RTL.stripe_iterations, RTL.stripe_beats, RTL.weight_beats, RTL.token_beats) == (9216, 384, 9216, 24)
    assert (RTL.out_tiles, RTL.in_tiles) == (12, 48)


def test_an_image_takes_its_iterations_and_the_pixels_of_its_first_stripe() -> None:
    """8 x 9,216 iterations, three times as long in Edge-MoE; other pixels come meanwhile, as does the class token."""
    image = Command(stripes=8, class_token=True)
    assert [c.cycles([image]) for c in (PUBLISHED, RTL)] == [221601, 74122]
    assert 221601 - (384 + (8 * 9216 - 1) * 3 + 1) == 35  # 32 of the loop, then the sums held, two beats, the position
    assert 74122 - (384 + 8 * 9216) == 10


def test_the_next_image_finds_its_pixels_in_place() -> None:
    """Its first two stripes came under the image before; the class token's 24 beats pass first."""
    image = Command(stripes=8, class_token=True)
    assert RTL.cycles([image, image]) - RTL.cycles([image]) == 24 + 8 * 9216 + 11


def test_a_load_takes_a_cycle_for_each_beat_of_weights() -> None:
    one, loaded = Command(stripes=1), Command(stripes=1, load=True)
    assert RTL.cycles([loaded]) - RTL.cycles([one]) == 9216 + 1 - 384
    assert RTL.cycles([Command(stripes=0, load=True)]) == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"patch": 0}, "patch_embed: patch must be 1 to 64, got 0"),
        ({"in_lanes": 65}, "patch_embed: in_lanes must be 1 to 64, got 65"),
        ({"in_lanes": 5}, "patch_embed: patch must be a multiple of in_lanes, got 16 and 5"),
        ({"out_lanes": 9}, "patch_embed: features must be a multiple of out_lanes, got 192 and 9"),
        ({"beat_values": 5}, "patch_embed: out_lanes must be a multiple of beat_values, got 16 and 5"),
        ({"beat_pixels": 24}, "patch_embed: beat_pixels must be a multiple of patch, got 24 and 16"),
        (
            {"stripe_patches": 15},
            "patch_embed: the pixels of a row must be a multiple of beat_pixels, got 240 and 32",
        ),
        (
            {"patch": 1, "in_lanes": 1, "beat_pixels": 16, "beat_values": 1},
            "patch_embed: a tile of 16 features takes 3 cycles, too few for its 16 beats of 1",
        ),
        ({"pixel": Fixed(width=53, integer=0)}, "patch_embed: a product may have 64 bits, 69 asked for"),
        (
            {"accumulator": Fixed(width=32, integer=10, overflow="saturate")},
            "patch_embed: accumulator must floor and wrap, got fixed(32,10,floor,saturate)",
        ),
    ],
)
def test_a_wrong_parameter_is_one_line(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        PatchEmbedContract.from_preset("rtl", **parameters)
    assert str(caught.value) == message


def test_a_command_of_too_many_stripes_is_one_line() -> None:
    with pytest.raises(ContractError) as caught:
        RTL.cycles([Command(stripes=9)])
    assert str(caught.value) == "patch_embed: a command's stripes must be 0 to 8, got 9"

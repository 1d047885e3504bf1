"""Formats with scales: how many bits a matrix takes, and for what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import (
    BF16,
    TOKEN,
    Fixed,
    Format,
    FormatError,
    Granularity,
    Int,
    ScaledFormat,
    bits_per_element,
    block,
    group,
    parse_tensor_format,
    quantise,
    stored_bits,
    stored_bytes,
)


def test_nvfp4_takes_four_and_a_half_bits_an_element() -> None:
    nvfp4 = parse_tensor_format("nvfp4")
    assert nvfp4.bits == 4
    assert nvfp4.scale_bits(1, 16) == 8 + 32
    assert nvfp4.scale_bits(4096, 4096) == 4096 * 256 * 8 + 32
    assert stored_bytes(nvfp4, 4096, 4096) == 9_437_188
    assert round(bits_per_element(nvfp4, 4096, 4096), 4) == 4.5


def test_a_cut_group_has_a_scale_too() -> None:
    w4 = parse_tensor_format("int4/group128(fp16)")
    assert [w4.scale_bits(1, columns) for columns in (0, 1, 128, 129, 256, 257)] == [0, 16, 16, 32, 32, 48]
    assert w4.stored_bits(3, 129) == 3 * 129 * 4 + 3 * 2 * 16


def test_blocks_at_both_edges_are_counted() -> None:
    fmt = parse_tensor_format("int8/block32x32(fp32)")
    assert [fmt.scale_bits(*shape) // 32 for shape in [(32, 32), (33, 32), (33, 33), (1, 65), (0, 7)]] == [
        1,
        2,
        4,
        3,
        0,
    ]


def test_zero_points_are_stored_beside_scales() -> None:
    fmt = parse_tensor_format("uint4/group128(fp16,uint4)")
    assert (fmt.scale_bits(10, 256), fmt.stored_bits(10, 256)) == (10 * 2 * (16 + 4), 10 * 256 * 4 + 400)


def test_a_scale_a_tensor_channel_and_token() -> None:
    texts = ["int8/tensor(fp32)", "int8/channel(fp16)", "int8/token(fp16)"]
    assert [parse_tensor_format(text).scale_bits(768, 3072) for text in texts] == [32, 768 * 16, 768 * 16]


def test_plain_formats_answer_alike() -> None:
    assert (BF16.stored_bits(3, 5), BF16.scale_bits(3, 5), BF16.element) == (240, 0, BF16)
    assert (stored_bits(Int(width=4), 3, 5), stored_bytes(Int(width=4), 3, 5)) == (60, 8)
    assert bits_per_element(Fixed(width=18, integer=7), 10, 10) == 18.0


def test_a_format_with_scales_is_no_format_of_single_numbers() -> None:
    nvfp4 = parse_tensor_format("nvfp4")
    assert not isinstance(nvfp4, Format)
    assert str(nvfp4.element) == "fp4_e2m1"


@pytest.mark.parametrize("fmt", [BF16, parse_tensor_format("int8/token")], ids=str)
def test_sizes_below_zero_are_refused(fmt: Format) -> None:
    for answer in (fmt.stored_bits, fmt.scale_bits):
        with pytest.raises(FormatError, match="a matrix has 0 or more rows and columns, got 3 x -1"):
            answer(3, -1)
    with pytest.raises(FormatError, match="a matrix of 0 x 4 has no elements to share bits"):
        bits_per_element(fmt, 0, 4)


@given(
    rows=st.integers(0, 40),
    columns=st.integers(0, 70),
    granularity=st.one_of(
        st.sampled_from([Granularity(kind="tensor"), TOKEN]),
        st.builds(group, st.integers(1, 80)),
        st.builds(block, st.integers(1, 50), st.integers(1, 80)),
    ),
    zero=st.booleans(),
)
def test_bits_are_those_of_the_arrays_that_are_stored(
    rows: int, columns: int, granularity: Granularity, zero: bool
) -> None:
    nibble = Int(width=4, signed=False)
    fmt = ScaledFormat(element=nibble, granularity=granularity, scale=BF16, zero=nibble if zero else None)
    held = quantise(np.ones((rows, columns)), fmt)
    assert (held.codes.size * 4, held.scales.size * (16 + 4 * zero)) == (
        rows * columns * 4,
        fmt.scale_bits(rows, columns),
    )
    assert fmt.stored_bits(rows, columns) == rows * columns * 4 + fmt.scale_bits(rows, columns)


@given(rows=st.integers(1, 30), columns=st.integers(1, 30), height=st.integers(1, 40), width=st.integers(1, 40))
def test_the_grid_equals_counting_the_regions_of_all_elements(rows: int, columns: int, height: int, width: int) -> None:
    regions = {(row // height, column // width) for row in range(rows) for column in range(columns)}
    down, across = block(height, width).grid(rows, columns)
    assert down * across == len(regions)


def test_a_granularity_checks_itself() -> None:
    with pytest.raises(
        FormatError, match="no granularity 'row'; understood are tensor, channel, token, group128, block"
    ):
        Granularity(kind="row")  # type: ignore[arg-type]
    with pytest.raises(
        FormatError, match=r"a group and a block have a shape and no other has; got token with \(1, 4\)"
    ):
        Granularity(kind="token", shape=(1, 4))
    with pytest.raises(FormatError, match="a group is one row of 1 or more elements, got 2 x 4"):
        Granularity(kind="group", shape=(2, 4))

"""Formats as text: printed formats read back the same, and mistakes are reported in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import (
    FLOATS,
    NARROW_FLOATS,
    SHORTHANDS,
    STANDARDS,
    Fixed,
    Format,
    FormatError,
    Granularity,
    Int,
    PowerOfTwo,
    ScaledFormat,
    TensorFormat,
    block,
    group,
    parse_format,
    parse_tensor_format,
)

FLOAT_FORMATS = [*FLOATS.values(), *NARROW_FLOATS.values(), parse_format("fp8_e4m3(saturate)")]


@pytest.mark.parametrize(
    "text",
    [
        "fp8_e4m3",
        "fp8_e5m2(saturate)",
        "bf16(saturate)",
        "fp6_e2m3",
        "fp6_e3m2",
        "fp4_e2m1",
        "e8m0",
        "pow2(5,-20)",
        "pow2(4,-15,nan)",
        "fixed(32,10)",
        "int8/tensor(fp32)",
        "int8/channel(fp16)",
        "int8/token(bf16)",
        "int8/block32x32(fp32)",
        "int8/channel(pow2(5,-20))",
        "int4/group128(fp16)",
        "uint4/group128(fp16,uint4)",
        "int4/channel(pow2(5,-20),int8)",
        "fixed(8,2,nearest_even,saturate)/token(fp16)",
        "fp8_e4m3/block128x128(fp32)",
        "int4/group64(fp8_e4m3)/tensor(fp32)",
        "uint4/group32(fp8_e4m3,uint4)/tensor(bf16)",
        *STANDARDS,
    ],
)
def test_a_text_is_that_of_its_format(text: str) -> None:
    assert str(parse_tensor_format(text)) == text


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("int8/channel", "int8/channel(fp32)"),
        (" int4 / group128 ( fp16 ) ", "int4/group128(fp16)"),
        ("w8", "int8/channel(fp16)"),
        ("a8", "int8/token(fp16)"),
        ("w4", "int4/group128(fp16)"),
        ("w4_zero", "uint4/group128(fp16,uint4)"),
        ("fp4_e2m1/group16(fp8_e4m3)/tensor", "nvfp4"),
        ("fp8_e4m3/group32(e8m0)", "mxfp8"),
        ("fp6_e2m3(saturate)", "fp6_e2m3"),
    ],
)
def test_a_short_text_prints_in_full_and_a_standard_by_its_name(text: str, full: str) -> None:
    assert str(parse_tensor_format(text)) == full


plain = st.one_of(
    st.sampled_from(FLOAT_FORMATS),
    st.builds(Int, width=st.integers(1, 53), signed=st.booleans(), rounding=st.sampled_from(["floor", "nearest_even"])),
    st.builds(
        Fixed, width=st.integers(1, 53), integer=st.integers(-9, 60), overflow=st.sampled_from(["wrap", "saturate"])
    ),
    st.builds(PowerOfTwo, width=st.integers(1, 9), lowest=st.integers(-500, 500), nan=st.booleans()),
)
scales = st.one_of(
    st.sampled_from(FLOAT_FORMATS), st.builds(PowerOfTwo, width=st.integers(1, 9), lowest=st.integers(-500, 500))
)
granularities = st.one_of(
    st.sampled_from([Granularity(kind="channel"), Granularity(kind="token")]),
    st.builds(group, st.integers(1, 1000)),
    st.builds(block, st.integers(1, 99), st.integers(1, 99)),
)
scaled = st.one_of(
    st.builds(
        ScaledFormat,
        element=st.sampled_from([*FLOAT_FORMATS, Int(width=8), Int(width=5, signed=False)]),
        granularity=granularities,
        scale=scales,
        tensor_scale=st.none() | scales,
    ),
    st.builds(
        ScaledFormat,
        element=st.builds(Int, width=st.integers(2, 8), signed=st.booleans()),
        granularity=granularities,
        scale=scales,
        zero=st.just(Int(width=9)),
        tensor_scale=st.none() | scales,
    ),
)


@given(fmt=plain | scaled)
def test_every_format_reads_back(fmt: TensorFormat) -> None:
    assert parse_tensor_format(str(fmt)) == fmt


@given(fmt=plain)
def test_a_plain_format_reads_back_as_a_number(fmt: Format) -> None:
    assert parse_format(str(fmt)) == fmt


def test_names_do_not_hide_each_other() -> None:
    assert not set(STANDARDS) & set(SHORTHANDS)
    assert not (set(STANDARDS) | set(SHORTHANDS)) & (set(FLOATS) | set(NARROW_FLOATS) | {"e8m0"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "nvfp5",
            "no number format 'nvfp5'; nearest: nvfp4; understood are bf16, fp16, fp32, fp8_e4m3, fp8_e5m2, fp6_e2m3, "
            "fp6_e3m2, fp4_e2m1, e8m0, mxfp8, mxfp8_e5m2, mxfp6, mxfp6_e3m2, mxfp4, mxint8, nvfp4, w8, a8, w4, "
            "w4_zero, int8, uint4, fixed(32,10), pow2(5,-20), int8/channel(fp16), uint4/group128(fp16,uint4)",
        ),
        ("int8/row", "no granularity 'row'; understood are tensor, channel, token, group128, block32x32"),
        ("int8/group0(fp16)", "a group is one row of 1 or more elements, got 1 x 0"),
        ("int8/block0x4", "a block is 1 x 1 or larger, got 0 x 4"),
        ("int8/channel(int8)", "scale: a scale is a float or a power of two, got int8"),
        ("int8/channel(fp16,fp16)", "zero points are integers of integers, got fp16 of int8"),
        ("fp8_e4m3/channel(fp16,uint8)", "zero points are integers of integers, got uint8 of fp8_e4m3"),
        ("uint4/group32(fp16,int4)", "a zero point of uint4 is 0..15, more than int4 holds"),
        ("int8(floor,wrap)/token", "elements with scales round to nearest even and saturate, got int8(floor,wrap)"),
        ("int1/token", "elements with scales reach above 0, got int1"),
        ("e8m0/token", "elements with scales are floats, integers or fixed point, got e8m0"),
        ("int8/tensor/tensor", "a second scale of the whole tensor goes with scales of its parts, got tensor twice"),
        (
            "int4/group16(fp16)/token(fp32)",
            "the second scale of 'int4/group16(fp16)/token(fp32)' is written /tensor(fp32), got /token(fp32)",
        ),
        (
            "int4/group16(fp16,int4,int4)",
            "'int4/group16(fp16,int4,int4)' has too many parts; understood are int8/channel(fp16), "
            "uint4/group128(fp16,uint4), nvfp4",
        ),
        (
            "int4/group16(fp16",
            "brackets of 'int4/group16(fp16' do not match; understood are int8/channel(fp16), "
            "uint4/group128(fp16,uint4)",
        ),
        (
            "nvfp4/token",
            "'nvfp4' has scales; expected a format of single numbers, such as int8, uint4, fixed(32,10), pow2(5,-20)",
        ),
    ],
)
def test_a_wrong_text_is_one_line(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_tensor_format(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["nvfp4", "w4", "int8/token(fp16)"])
def test_what_has_scales_is_no_format_of_single_numbers(text: str) -> None:
    with pytest.raises(FormatError, match=f"'{text}' has scales".replace("(", r"\(").replace(")", r"\)")):
        parse_format(text)


@pytest.mark.parametrize(
    "text", ["int8/", "/token", "int8/token()", "int8/token(fp16,)", "int8/token)", "fp4(saturate)"]
)
def test_an_unfinished_text_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_tensor_format(text)

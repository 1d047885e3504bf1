"""Number formats round exactly as specified."""

from fractions import Fraction
from math import floor

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import (
    BF16,
    FP16,
    FP32,
    Fixed,
    Float,
    Format,
    FormatError,
    Int,
    Overflow,
    Rounding,
    dequantise,
    parse_format,
    quantise,
    round_to,
)

MODES: list[Format] = [
    Fixed(width=32, integer=10, rounding="nearest_even", overflow="saturate"),
    Fixed(width=8, integer=-2, signed=False, rounding="floor", overflow="saturate"),
    Int(width=32, overflow="wrap"),
]
FORMATS: list[Format] = [BF16, FP16, FP32, Fixed(width=16, integer=6), Int(width=8), Int(width=4, signed=False)]


def test_fixed_point_floors_and_wraps_like_ap_fixed() -> None:
    fmt = Fixed(width=8, integer=4)
    assert round_to([1.03, -1.03, 7.97, 8.0, -8.1], fmt).tolist() == [1.0, -1.0625, 7.9375, -8.0, 7.875]


def test_fixed_point_can_saturate_and_round_to_even() -> None:
    fmt = Fixed(width=8, integer=4, rounding="nearest_even", overflow="saturate")
    assert round_to([0.03125, 0.09375, 100.0, -100.0], fmt).tolist() == [0.0, 0.125, 7.9375, -8.0]


def test_integers_saturate_and_round_to_even() -> None:
    assert quantise([2.5, 3.5, -200, 300], Int(width=8)).tolist() == [2, 4, -128, 127]
    assert quantise([-1, 20], Int(width=4, signed=False)).tolist() == [0, 15]


def test_bf16_keeps_seven_bits_behind_the_point() -> None:
    assert round_to([1 + 2**-8, 1 + 3 * 2**-8, 3.39e38, 1e39], BF16).tolist() == [1.0, 1.015625, BF16.maximum, np.inf]
    assert quantise(1.0, BF16).item() == 0x3F80


def test_negatives_floor_down_or_go_to_the_nearest_even() -> None:
    ties = [-0.5, -1.5, -2.5, -0.25]
    assert quantise(ties, Int(width=8, rounding="floor")).tolist() == [-1, -2, -3, -1]
    assert quantise(ties, Int(width=8)).tolist() == [0, -2, -2, 0]


def test_what_exceeds_float64_when_scaled_still_wraps_or_saturates() -> None:
    huge = [1e300, -1e300]  # whole multiples of any range here
    assert quantise(huge, Fixed(width=32, integer=-100)).tolist() == [0, 0]
    assert quantise([*huge, np.inf], Fixed(width=8, integer=-100, overflow="saturate")).tolist() == [127, -128, 127]
    assert quantise(-5e-324, Fixed(width=8, integer=20)).item() == -1  # scaling it down first would lose it
    with pytest.raises(FormatError, match=r"infinity cannot wrap in fixed\(8,4\)"):
        quantise(np.inf, Fixed(width=8, integer=4))


@pytest.mark.parametrize("fmt", FORMATS + MODES, ids=str)
def test_text_reads_back(fmt: Format) -> None:
    assert parse_format(str(fmt)) == fmt


def test_text_tells_all_modes_apart() -> None:
    assert [str(fmt) for fmt in MODES] == [
        "fixed(32,10,nearest_even,saturate)",
        "ufixed(8,-2,floor,saturate)",
        "int32(nearest_even,wrap)",
    ]
    assert (Int(width=8).integer, Int(width=8).fraction) == (8, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "bf17",
            "no number format 'bf17'; nearest: bf16, fp16; understood are bf16, fp16, fp32, fp8_e4m3, fp8_e5m2, "
            "fp6_e2m3, fp6_e3m2, fp4_e2m1, e8m0, int8, uint4, fixed(32,10), pow2(5,-20)",
        ),
        ("fixed(64,32)", "width 64 is outside 1..53 bits"),
        ("fixed(8,-999)", "integer bits -999 are outside -128..128"),
        ("fixed(8,4,up,wrap)", "no rounding 'up'; understood are floor, nearest_even"),
        ("int8(floor,clip)", "no overflow 'clip'; understood are wrap, saturate"),
    ],
)
def test_a_wrong_format_is_one_line(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_format(text)
    assert str(caught.value) == message


def test_a_float_is_one_that_numpy_has() -> None:
    with pytest.raises(FormatError, match="no float 'tf32'; there are bf16, fp16, fp32"):
        Float(name="tf32", exponent_bits=8, mantissa_bits=10)
    with pytest.raises(FormatError, match="fp16 has 16 bits, got 19"):
        Float(name="fp16", exponent_bits=8, mantissa_bits=10)
    with pytest.raises(FormatError, match="fp16 reaches 65504, but what is described 3"):
        Float(name="fp16", exponent_bits=8, mantissa_bits=7)


def test_a_code_beyond_the_width_is_refused() -> None:
    with pytest.raises(FormatError, match=r"code 128 is outside -128\.\.127 of int8"):
        dequantise([0, 128], Int(width=8))
    with pytest.raises(FormatError, match=r"code 65536 is outside 0\.\.65535 of bf16"):
        dequantise(65536, BF16)


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_the_range_holds_its_own_ends(fmt: Format) -> None:
    assert round_to([fmt.minimum, fmt.maximum], fmt).tolist() == [fmt.minimum, fmt.maximum]


def test_widths() -> None:
    assert [(fmt.bits, fmt.bytes) for fmt in FORMATS] == [(16, 2), (16, 2), (32, 4), (16, 2), (8, 1), (4, 1)]


@pytest.mark.parametrize("text", ["bf17", "", "fixed(8)", "int0", "fixed(64,10)", "int"])
def test_an_unknown_format_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_format(text)


def test_nan_has_no_fixed_point_value() -> None:
    with pytest.raises(FormatError, match="NaN has no value in int8"):
        quantise([np.nan], Int(width=8))


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
@given(x=st.floats(-1e5, 1e5))
def test_rounding_twice_is_rounding_once(fmt: Format, x: float) -> None:
    once = round_to(x, fmt)
    np.testing.assert_array_equal(round_to(once, fmt), once)
    np.testing.assert_array_equal(quantise(dequantise(quantise(x, fmt), fmt), fmt), quantise(x, fmt))


@given(x=st.floats(-1e6, 1e6), width=st.integers(2, 40), integer=st.integers(-2, 20), signed=st.booleans())
def test_fixed_point_equals_exact_fractions(x: float, width: int, integer: int, signed: bool) -> None:
    fmt = Fixed(width=width, integer=integer, signed=signed)
    code = floor(Fraction(x) * Fraction(2) ** (width - integer))
    low = -(1 << (width - 1)) if signed else 0
    assert quantise(x, fmt).item() == (code - low) % (1 << width) + low


def test_bf16_is_rounded_once_not_by_way_of_float32() -> None:
    # just above the tie between 1 and its successor; float32 would drop the excess and the tie go to even
    assert round_to(1 + 2**-8 + 2**-40, BF16).item() == 1.0078125


@given(x=st.floats(allow_nan=False))
def test_fp16_and_fp32_equal_numpy(x: float) -> None:
    with np.errstate(over="ignore"):
        assert quantise(x, FP16).item() == np.float64(x).astype(np.float16).view(np.uint16).item()
        assert quantise(x, FP32).item() == np.float64(x).astype(np.float32).view(np.uint32).item()


@given(x=st.floats(width=32, allow_nan=False))
def test_bf16_equals_ml_dtypes(x: float) -> None:
    with np.errstate(over="ignore"):
        assert quantise(x, BF16).item() == np.float64(x).astype(ml_dtypes.bfloat16).view(np.uint16).item()


@given(
    x=st.floats(allow_nan=False, allow_infinity=False),
    width=st.integers(1, 53),
    integer=st.integers(-60, 120),
    signed=st.booleans(),
    rounding=st.sampled_from(["floor", "nearest_even"]),
    overflow=st.sampled_from(["wrap", "saturate"]),
)
def test_every_fixed_point_mode_equals_exact_fractions(
    x: float, width: int, integer: int, signed: bool, rounding: Rounding, overflow: Overflow
) -> None:
    fmt = Fixed(width=width, integer=integer, signed=signed, rounding=rounding, overflow=overflow)
    exact = Fraction(x) * Fraction(2) ** (width - integer)
    code = floor(exact) if rounding == "floor" else round(exact)
    low, high = fmt.code_range
    expected = min(max(code, low), high) if overflow == "saturate" else (code - low) % (1 << width) + low
    got = quantise(x, fmt).item()
    assert got == expected
    value = Fraction(dequantise(got, fmt).item())
    assert value == expected * Fraction(2) ** (integer - width)
    if low <= code <= high:  # in range: the error is less than a step, or at most half a step
        error = exact - value * Fraction(2) ** (width - integer)
        assert 0 <= error < 1 if rounding == "floor" else abs(error) <= Fraction(1, 2)


@pytest.mark.parametrize("fmt", [BF16, FP16], ids=str)
def test_all_sixteen_bit_patterns_survive(fmt: Float) -> None:
    codes = np.arange(1 << 16)
    values = dequantise(codes, fmt)
    with np.errstate(invalid="ignore"):  # signalling NaNs
        expected = codes.astype(np.uint16).view(fmt.dtype).astype(np.float64)
    np.testing.assert_array_equal(values, expected)
    finite = ~np.isnan(values)
    np.testing.assert_array_equal(quantise(values[finite], fmt), codes[finite])


@given(x=st.floats(-BF16.maximum, BF16.maximum))
def test_no_bf16_is_nearer_than_the_rounded_one(x: float) -> None:
    code = quantise(abs(x), BF16).item()
    error = abs(Fraction(dequantise(code, BF16).item()) - Fraction(abs(x)))
    for neighbour in (max(code - 1, 0), min(code + 1, 0x7F7F)):
        other = abs(Fraction(dequantise(neighbour, BF16).item()) - Fraction(abs(x)))
        assert error < other or (error == other and code % 2 == 0) or neighbour == code

"""Number formats round exactly as they say."""

from fractions import Fraction
from math import floor

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.formats import (
    BF16,
    FP16,
    FP32,
    Fixed,
    Format,
    FormatError,
    Int,
    dequantise,
    parse_format,
    quantise,
    round_to,
)

FORMATS = [BF16, FP16, FP32, Fixed(width=16, integer=6), Int(width=8), Int(width=4, signed=False)]


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


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_text_reads_back(fmt: Format) -> None:
    assert str(parse_format(str(fmt))) == str(fmt)


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

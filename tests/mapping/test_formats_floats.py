"""Floats of 4 to 8 bits: every code has its standard's value, every rounding equals that of ml_dtypes."""

from collections.abc import Iterator
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.mapping.formats import (
    FP4_E2M1,
    FP6_E2M3,
    FP6_E3M2,
    FP8_E4M3,
    FP8_E5M2,
    NARROW_FLOATS,
    Float,
    FormatError,
    dequantise,
    parse_format,
    quantise,
    round_to,
)

NARROW = list(NARROW_FLOATS.values())
BIAS = {"fp8_e4m3": 7, "fp8_e5m2": 15, "fp6_e2m3": 1, "fp6_e3m2": 3, "fp4_e2m1": 1}  # as the OCP's tables have them


def value_of(code: int, fmt: Float) -> Fraction | None:
    """The value of a code by the OCP's definition; None for infinity and NaN."""
    exponent_bits, mantissa_bits = fmt.exponent_bits, fmt.mantissa_bits
    mantissa = code & ((1 << mantissa_bits) - 1)
    exponent = (code >> mantissa_bits) & ((1 << exponent_bits) - 1)
    sign = -1 if code >> (exponent_bits + mantissa_bits) else 1
    if fmt.name == "fp8_e5m2" and exponent == 31:
        return None
    if fmt.name == "fp8_e4m3" and (exponent, mantissa) == (15, 7):
        return None
    whole = mantissa + (1 << mantissa_bits) * (exponent > 0)
    return sign * whole * Fraction(2) ** (max(exponent, 1) - BIAS[fmt.name] - mantissa_bits)


def test_the_largest_and_the_smallest_numbers_are_those_of_the_standards() -> None:
    rows = [(str(fmt), fmt.bits, fmt.maximum, dequantise(1, fmt).item()) for fmt in NARROW]
    assert rows == [
        ("fp8_e4m3", 8, 448.0, 2.0**-9),
        ("fp8_e5m2", 8, 57344.0, 2.0**-16),
        ("fp6_e2m3", 6, 7.5, 0.125),
        ("fp6_e3m2", 6, 28.0, 0.0625),
        ("fp4_e2m1", 4, 6.0, 0.5),
    ]


def test_fp4_has_these_values() -> None:
    assert dequantise(range(8), FP4_E2M1).tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]


def test_ties_go_to_the_even_code() -> None:
    ties = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0, -5.0]
    assert round_to(ties, FP4_E2M1).tolist() == [0.0, 1.0, 1.0, 2.0, 2.0, 4.0, 4.0, -4.0]


@pytest.mark.parametrize("fmt", NARROW, ids=str)
def test_every_code_means_what_the_standard_says(fmt: Float) -> None:
    for code in range(1 << fmt.bits):
        expected, got = value_of(code, fmt), dequantise(code, fmt).item()
        assert not np.isfinite(got) if expected is None else Fraction(got) == expected


@pytest.mark.parametrize("fmt", NARROW, ids=str)
def test_every_code_survives(fmt: Float) -> None:
    codes = np.arange(1 << fmt.bits)
    values = dequantise(codes, fmt)
    number = ~np.isnan(values)
    np.testing.assert_array_equal(quantise(values[number], fmt), codes[number])


def test_codes_beyond_finite_numbers() -> None:
    assert str(dequantise([0x7F, 0xFF], FP8_E4M3).tolist()) == "[nan, nan]"
    assert str(dequantise([0x7C, 0xFC, 0x7D, 0x7F], FP8_E5M2).tolist()) == "[inf, -inf, nan, nan]"
    assert quantise([np.inf, -np.inf, np.nan], FP8_E4M3).tolist() == [0x7F, 0xFF, 0x7F]
    assert quantise([np.inf, -np.inf, np.nan], FP8_E5M2).tolist() == [0x7C, 0xFC, 0x7E]
    for fmt in (FP6_E2M3, FP6_E3M2, FP4_E2M1):
        assert round_to([np.inf, -1e30], fmt).tolist() == [fmt.maximum, -fmt.maximum]
        with pytest.raises(FormatError, match=f"NaN has no value in {fmt}"):
            quantise([1.0, np.nan], fmt)


def test_overflow_begins_half_a_step_beyond_the_largest_number() -> None:
    # the largest code is odd in E5M2, so the tie leaves the range, and even in E4M3, so the tie stays in it
    assert str(round_to([464.0, 464.001, -1e9], FP8_E4M3).tolist()) == "[448.0, nan, nan]"
    assert str(round_to([61439.9, 61440.0, -1e9], FP8_E5M2).tolist()) == "[57344.0, inf, -inf]"


def test_overflow_saturates_where_that_is_asked_for() -> None:
    extremes = [449.0, 1e9, -np.inf, np.nan]
    assert str(round_to(extremes, parse_format("fp8_e4m3(saturate)")).tolist()) == "[448.0, 448.0, -448.0, nan]"
    assert str(round_to(extremes, parse_format("fp8_e5m2(saturate)")).tolist()) == "[448.0, 57344.0, -57344.0, nan]"


def inputs_of(fmt: Float) -> NDArray[np.float64]:
    """All float16, and the nearest float32 around every value and every tie of a format; both signs."""
    values = np.unique(np.abs([dequantise(c, fmt).item() for c in range(1 << fmt.bits)]))
    values = values[np.isfinite(values)]
    beyond = 2 * values[-1] - values[-2]
    marks = np.unique([*values, *((values[1:] + values[:-1]) / 2), (beyond + values[-1]) / 2, beyond])
    marks = marks.astype(np.float32)
    near = [np.nextafter(marks, np.float32(direction)) for direction in (np.inf, -np.inf)]
    halves = np.arange(0x7C01, dtype=np.uint16).view(np.float16).astype(np.float32)  # up to infinity
    positive = np.concatenate([marks, *near, halves, np.geomspace(1e-8, 1e8, 20_001, dtype=np.float32)])
    return np.concatenate([positive, -positive]).astype(np.float64)


@pytest.mark.parametrize("fmt", NARROW, ids=str)
def test_rounding_equals_ml_dtypes(fmt: Float) -> None:
    x = inputs_of(fmt)
    dtype = {
        "fp8_e4m3": ml_dtypes.float8_e4m3fn,
        "fp8_e5m2": ml_dtypes.float8_e5m2,
        "fp6_e2m3": ml_dtypes.float6_e2m3fn,
        "fp6_e3m2": ml_dtypes.float6_e3m2fn,
        "fp4_e2m1": ml_dtypes.float4_e2m1fn,
    }[fmt.name]
    with np.errstate(over="ignore"):
        expected = x.astype(np.float32).astype(dtype)
    np.testing.assert_array_equal(quantise(x, fmt), expected.view(np.uint8))


def neighbours(code: int, fmt: Float) -> Iterator[int]:
    """Codes of the neighbouring finite values of the same sign."""
    for other in (code - 1, code + 1):
        if 0 <= other < 1 << (fmt.bits - 1) and value_of(other, fmt) is not None:
            yield other


@pytest.mark.parametrize("fmt", NARROW, ids=str)
@given(share=st.floats(-1, 1))
def test_no_value_is_nearer_than_the_rounded_one(fmt: Float, share: float) -> None:
    x = abs(share) * fmt.maximum
    code = quantise(x, fmt).item()
    found = value_of(code, fmt)
    assert found is not None
    error = abs(found - Fraction(x))
    for other in neighbours(code, fmt):
        value = value_of(other, fmt)
        assert value is not None
        distance = abs(value - Fraction(x))
        assert error < distance or (error == distance and code % 2 == 0)
    assert quantise(-x, fmt).item() == code + (1 << (fmt.bits - 1))


def test_a_narrow_float_is_checked_against_its_type() -> None:
    with pytest.raises(FormatError, match="fp8_e4m3 reaches 448, but what is described 240"):
        Float(name="fp8_e4m3", exponent_bits=4, mantissa_bits=3)
    with pytest.raises(FormatError, match="no specials 'fn'; understood are ieee, nan, none"):
        Float(name="fp8_e4m3", exponent_bits=4, mantissa_bits=3, specials="fn")  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="no overflow 'wrap'; understood are non_finite, saturate"):
        Float(name="bf16", exponent_bits=8, mantissa_bits=7, overflow="wrap")  # type: ignore[arg-type]
    with pytest.raises(
        FormatError, match="fp4_e2m1 has finite numbers alone: its overflow is saturate, got non_finite"
    ):
        Float(name="fp4_e2m1", exponent_bits=2, mantissa_bits=1, specials="none")

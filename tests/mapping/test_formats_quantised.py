"""Matrices in formats with scales: the stored values, and their error."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.mapping.formats import (
    BF16,
    FP16,
    Fixed,
    FormatError,
    Int,
    Quantised,
    ScaledFormat,
    dequantise,
    parse_tensor_format,
    quantise,
    round_to,
)


def scaled(text: str) -> ScaledFormat:
    fmt = parse_tensor_format(text)
    assert isinstance(fmt, ScaledFormat)
    return fmt


def scales_of(held: Quantised) -> list[list[float]]:
    scales: list[list[float]] = held.fmt.scale.dequantise(held.scales).tolist()
    return scales


def test_int8_with_a_scale_a_row() -> None:
    fmt = scaled("int8/channel(fp32)")
    held = quantise([[127.0, -64.0, 0.4], [0.0, -2.54, 1.0]], fmt)
    assert held.codes.tolist() == [[127, -64, 0], [0, -127, 50]]
    assert [round(row[0], 6) for row in scales_of(held)] == [1.0, 0.02]
    assert dequantise(held, fmt)[0].tolist() == [127.0, -64.0, 0.0]


def test_the_same_matrix_with_one_scale_has_coarser_rows() -> None:
    held = quantise([[127.0, -64.0, 0.4], [0.0, -2.54, 1.0]], scaled("int8/tensor(fp32)"))
    assert held.codes.tolist() == [[127, -64, 0], [0, -3, 1]]
    assert held.scales.shape == (1, 1)


def test_groups_and_blocks_cut_at_the_edge() -> None:
    x = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0], [64.0, 128.0, 256.0]])
    assert scales_of(quantise(x, scaled("fp4_e2m1/group2(e8m0)"))) == [[0.5, 1.0], [4.0, 8.0], [32.0, 64.0]]
    assert scales_of(quantise(x, scaled("fp4_e2m1/block2x2(e8m0)"))) == [[4.0, 8.0], [32.0, 64.0]]


def test_uint4_with_zero_points_holds_zero_exactly() -> None:
    held = quantise([[-1.0, 0.0, 6.5], [3.0, 0.0, 15.0]], scaled("uint4/token(fp16,uint4)"))
    assert scales_of(held) == [[0.5], [1.0]]
    assert held.zeros is not None
    assert held.zeros.tolist() == [[2], [0]]
    assert held.codes.tolist() == [[0, 2, 15], [3, 0, 15]]
    assert held.values().tolist() == [[-1.0, 0.0, 6.5], [3.0, 0.0, 15.0]]


def test_int4_with_zero_points_uses_all_its_codes() -> None:
    held = quantise([[0.0, 7.0, 15.0]], scaled("int4/token(fp16,int4)"))
    assert held.zeros is not None
    assert (held.codes.tolist(), held.zeros.tolist()) == ([[-8, -1, 7]], [[-8]])


def test_nvfp4_multiplies_two_scales() -> None:
    x = np.zeros((1, 32))
    x[0, 0], x[0, 16], x[0, 17] = 2688.0, 6.0, 1.0  # 2688 = 6 x 448
    held = quantise(x, scaled("nvfp4"))
    assert (held.tensor_scale, scales_of(held)) == (0x3F800000, [[448.0, 1.0]])
    assert held.codes[0, [0, 16, 17]].tolist() == [7, 7, 2]
    np.testing.assert_array_equal(held.values(), x)


def test_mxint8_has_six_bits_after_the_point() -> None:
    held = quantise([[1.984375, -1.0, 0.015625]], scaled("mxint8"))
    assert (held.codes.tolist(), scales_of(held)) == ([[127, -64, 1]], [[1.0]])


def test_scales_round_up_so_that_the_largest_fits() -> None:
    # the OCP's rule would give MXFP4 the scale 2^(2-2) = 1 and cut 7 to 6
    assert scales_of(quantise([[7.0, 1.0]], scaled("mxfp4"))) == [[2.0]]
    # 100/6 lies between the E4M3 numbers 16 and 18
    assert scales_of(quantise([[100.0]], scaled("fp4_e2m1/token(fp8_e4m3)"))) == [[18.0]]


def test_a_region_of_zeros_has_the_smallest_scale() -> None:
    zeros = np.zeros((2, 3))
    smallest = {"int8/tensor(fp32)": 2.0**-149, "mxfp8": 2.0**-127, "int8/token(pow2(5,-20))": 2.0**-20}
    for text, scale in smallest.items():
        held = quantise(zeros, scaled(text))
        assert scales_of(held)[0] == [scale]
        np.testing.assert_array_equal(held.values(), zeros)
    assert round_to(zeros, scaled("nvfp4")).tolist() == zeros.tolist()
    assert round_to(zeros, scaled("w4_zero")).tolist() == zeros.tolist()


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 0)])
@pytest.mark.parametrize("text", ["nvfp4", "int8/tensor", "w4_zero", "int8/block2x2"])
def test_an_empty_matrix_stays_empty(text: str, shape: tuple[int, int]) -> None:
    held = quantise(np.zeros(shape), scaled(text))
    assert (held.values().shape, held.scales.size) == (shape, 0)


FORMATS = [
    "int8/tensor(fp32)",
    "int8/channel(fp16)",
    "int8/token(bf16)",
    "int4/group3(fp16)",
    "int4/group3(fp8_e5m2)",
    "uint4/group3(fp16,uint4)",
    "int4/block2x3(bf16,int8)",
    "uint8/group4(fp8_e4m3,uint8)/tensor(fp32)",
    "int6/group2(fp8_e4m3)/tensor(e8m0)",
    "int2/token(e8m0)",
    "int8/channel(pow2(6,-40))",
    "fp8_e4m3/token(fp32)",
    "fp8_e5m2/block2x2(fp32)",
    "fixed(9,3,nearest_even,saturate)/group2(fp16)",
    "nvfp4",
    "mxfp8",
    "mxfp8_e5m2",
    "mxfp6",
    "mxfp6_e3m2",
    "mxfp4",
    "mxint8",
]


@st.composite
def matrices(draw: st.DrawFn) -> NDArray[np.float64]:
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 40))
    values = st.floats(-300, 300) | st.integers(-60, 60).map(float) | st.sampled_from([0.0, 2.0**-20, 1e-12])
    seed = draw(st.integers(0, 2**32 - 1))
    few = draw(st.lists(values, min_size=1, max_size=12))
    return np.random.default_rng(seed).choice(few, (rows, columns))


def half_steps(held: Quantised, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the distance of the two element values around x / factor, times the factor; from all element values."""
    element = held.fmt.element
    factors = held.factors()
    if isinstance(element, Fixed):
        return factors * element.resolution / 2
    values = np.unique(element.dequantise(np.arange(1 << element.bits)))
    values = values[np.isfinite(values)]
    above = np.clip(np.searchsorted(values, x / factors, side="right"), 1, values.size - 1)
    return (values[above] - values[above - 1]) / 2 * factors


@pytest.mark.parametrize("text", FORMATS)
@given(x=matrices())
def test_every_value_comes_back_within_half_a_step(text: str, x: NDArray[np.float64]) -> None:
    held = quantise(x, scaled(text))
    allowed = half_steps(held, x) + 2.0**-50 * np.abs(x)
    assert (np.abs(held.values() - x) <= allowed).all()
    assert (held.values()[x == 0] == 0).all()


@pytest.mark.parametrize("text", [text for text in FORMATS if ",uint" not in text and ",int8)" not in text])
@given(x=matrices())
def test_no_element_overflows_and_no_smaller_scale_would_do(text: str, x: NDArray[np.float64]) -> None:
    fmt = scaled(text)
    held = quantise(x, fmt)
    assert (np.abs(x) <= fmt.element.maximum * held.factors() * (1 + 2.0**-50)).all()
    height, width = fmt.granularity.region(*x.shape)
    second = 1.0
    if fmt.tensor_scale is not None and held.tensor_scale is not None:
        second = fmt.tensor_scale.dequantise(held.tensor_scale).item()
    for (down, across), code in np.ndenumerate(held.scales):
        region = x[down * height : (down + 1) * height, across * width : (across + 1) * width]
        if code > fmt.scale.quantise(fmt.scale.minimum if fmt.scale.minimum > 0 else 5e-324) + 1:
            smaller = fmt.scale.dequantise(code - 1).item() * second
            assert np.abs(region).max() > fmt.element.maximum * smaller


@pytest.mark.parametrize("text", FORMATS)
@settings(max_examples=20)
@given(x=matrices())
def test_the_stored_arrays_take_the_bits_that_are_stated(text: str, x: NDArray[np.float64]) -> None:
    fmt = scaled(text)
    held = quantise(x, fmt)
    bits = held.codes.size * fmt.bits + held.scales.size * fmt.scale.bits
    if held.zeros is not None and fmt.zero is not None:
        bits += held.zeros.size * fmt.zero.bits
    if fmt.tensor_scale is not None:
        bits += fmt.tensor_scale.bits
    assert bits == fmt.stored_bits(*x.shape)


def test_int8_rows_equal_exact_fractions() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(20, 30))
    held = quantise(x, scaled("int8/token(fp16)"))
    for row, codes, (scale,) in zip(x, held.codes, scales_of(held)):
        need = max(abs(Fraction(v)) for v in row) / 127
        below = float(np.nextafter(np.float16(scale), np.float16(0)))
        assert Fraction(below) < need <= Fraction(scale)
        assert codes.tolist() == [round(Fraction(v) / Fraction(scale)) for v in row]


def test_mxfp4_equals_ml_dtypes_with_the_scale_that_was_chosen() -> None:
    x = np.random.default_rng(3).normal(size=(4, 64))
    held = quantise(x, scaled("mxfp4"))
    for row in range(4):
        for begin in (0, 32):
            part = x[row, begin : begin + 32]
            scale = 2.0 ** np.ceil(np.log2(np.abs(part).max() / 6))
            codes = (part / scale).astype(ml_dtypes.float4_e2m1fn).view(np.uint8)
            assert held.codes[row, begin : begin + 32].tolist() == codes.tolist()


@pytest.mark.parametrize(
    ("text", "x", "message"),
    [
        ("int8/token", [1.0, 2.0], "int8/token(fp32) holds (rows, columns), got the shape (2,)"),
        ("int8/token", [[1.0, np.nan]], "nan has no scale in int8/token(fp32)"),
        ("int8/token", [[1.0, -np.inf]], "-inf has no scale in int8/token(fp32)"),
        ("uint8/token", [[1.0, -2.0]], "-2 has no value in uint8/token(fp32), whose elements have no sign"),
        (
            "int8/token(fp8_e4m3)",
            [[1e6]],
            "int8/token(fp8_e4m3) would need a scale of 7874.02; the largest of fp8_e4m3 is 448",
        ),
    ],
)
def test_what_cannot_be_held_is_one_line(text: str, x: list[float], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        quantise(x, scaled(text))
    assert str(caught.value) == message


def test_codes_belong_to_their_format() -> None:
    held = quantise([[1.0]], scaled("int8/token"))
    with pytest.raises(FormatError, match=r"expected codes of int8/channel\(fp32\), got int8/token\(fp32\)"):
        dequantise(held, scaled("int8/channel"))
    with pytest.raises(FormatError, match="expected codes of bf16, got int8/token"):
        dequantise(held, BF16)  # type: ignore[call-overload]
    with pytest.raises(FormatError, match="expected codes of nvfp4, got codes without scales"):
        dequantise([[1]], scaled("nvfp4"))  # type: ignore[call-overload]


def test_what_is_held_checks_itself() -> None:
    codes, scales = np.zeros((2, 4), dtype=np.int64), np.zeros((2, 1), dtype=np.int64)
    fmt = scaled("int8/token(fp16)")
    with pytest.raises(FormatError, match=r"codes of int8/token\(fp16\) are \(rows, columns\), got the shape \(2,\)"):
        Quantised(fmt=fmt, codes=codes[:, 0], scales=scales)
    with pytest.raises(FormatError, match=r"int8/token\(fp16\) of \(2, 4\) has scales \(2, 1\), got \(1, 2\)"):
        Quantised(fmt=fmt, codes=codes, scales=scales.T)
    with pytest.raises(FormatError, match=r"int8/token\(fp16\) of \(2, 4\) has zero points None, got \(2, 1\)"):
        Quantised(fmt=fmt, codes=codes, scales=scales, zeros=scales)
    with pytest.raises(FormatError, match=r"int8/token\(fp16\) has a second scale or none, got 7"):
        Quantised(fmt=fmt, codes=codes, scales=scales, tensor_scale=7)


@given(x=matrices())
def test_plain_formats_round_matrices_as_numbers(x: NDArray[np.float64]) -> None:
    np.testing.assert_array_equal(round_to(x, FP16), x.astype(np.float16).astype(np.float64))
    assert quantise(x, Int(width=8)).shape == x.shape

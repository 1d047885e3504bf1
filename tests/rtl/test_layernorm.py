"""Layer norm's golden model against float64 and a slow loop, its timing, its messages."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import ContractError
from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.layernorm.golden import layernorm

SMALL = LayerNormContract.from_preset("rtl", features=4, lanes=2)
CODES = st.integers(*SMALL.activation.code_range)
NORMS = st.integers(*SMALL.weight.code_range)


def wrapped(value: Fraction) -> Fraction:
    """`value` as ap_fixed<32, 10> holds it: floored to 22 fraction bits, modulo 2^10."""
    return (Fraction(floor(value * 2**22), 2**22) + 512) % 1024 - 512


def slow_layernorm(x: list[Fraction], weight: list[Fraction], bias: list[Fraction]) -> list[Fraction]:
    """A token, feature by feature in rational numbers, as Edge-MoE's source does it; only the root is shared."""
    inverse, mean, of_squares = Fraction(2**22 // len(x), 2**22), Fraction(0), Fraction(0)
    for value in x:
        term = wrapped(value * inverse)
        mean, of_squares = wrapped(mean + term), wrapped(of_squares + wrapped(value * term))
    variance = max(wrapped(of_squares - wrapped(mean * mean) + Fraction(4, 2**22)), Fraction(0))
    root = Fraction(int(inverse_root(SMALL.rsqrt, np.array([int(variance * 2**22)]))[0]), 2**22)
    return [wrapped(wrapped(wrapped(wrapped(v - mean) * root) * w) + b) for v, w, b in zip(x, weight, bias)]


@settings(deadline=None)
@given(
    st.lists(CODES, min_size=4, max_size=4),
    st.integers(0, 31),
    st.lists(NORMS, min_size=4, max_size=4),
    st.lists(NORMS, min_size=4, max_size=4),
)
def test_it_equals_the_loop_in_rational_numbers(x: list[int], places: int, weight: list[int], bias: list[int]) -> None:
    x = [code >> places for code in x]
    y = layernorm(SMALL, np.array([x]), np.array(weight), np.array(bias))
    slow = slow_layernorm(
        [Fraction(code, 2**22) for code in x],
        [Fraction(code, 2**11) for code in weight],
        [Fraction(code, 2**11) for code in bias],
    )
    assert y[0].tolist() == [int(value * 2**22) for value in slow]


def test_it_is_near_float64() -> None:
    c = LayerNormContract.from_preset("published")
    rng = np.random.default_rng(7)
    x = rng.normal(0.3, 1.5, size=(20, 192))
    weight, bias = rng.normal(1, 0.2, size=192), rng.normal(0, 0.5, size=192)
    codes = [fmt.quantise(values) for fmt, values in ((c.activation, x), (c.weight, weight), (c.bias, bias))]
    x, weight, bias = (fmt.dequantise(code) for fmt, code in zip((c.activation, c.weight, c.bias), codes))
    exact = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 4 * 2.0**-22) * weight + bias
    error = np.abs(c.activation.dequantise(layernorm(c, *codes)) - exact).max()
    # 192 terms lose up to 2^-22 each, and the constant 1/192 is 1.6e-6 of itself too small: 5e-5 of a deviation of 1.5
    assert 1e-6 < error < 2e-4


def test_a_constant_token_becomes_the_bias() -> None:
    """Except for the floor of x/D, which makes the mean a little too low; the root is at its limit of 2^9."""
    c = LayerNormContract.from_preset("rtl", features=4, lanes=2)
    bias = np.array([5, -5, 0, 7])
    y = layernorm(c, np.full((1, 4), 4 << 22), np.full(4, 1 << 11), bias)
    assert y.tolist() == [(bias << 11).tolist()]


def test_edge_moe_takes_24_cycles_a_token() -> None:
    published, rtl = LayerNormContract.from_preset("published"), LayerNormContract.from_preset("rtl")
    assert (published.statistics_latency, published.affine_latency) == (79, 153)
    assert [c.cycles(tokens) for c in (published, rtl) for tokens in (0, 1, 129)] == [0, 279, 3351, 0, 78, 3150]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": 20}, "layernorm: 20 features do not fill beats of 8"),
        ({"lanes": 65}, "layernorm: lanes must be 1 to 64, got 65"),
        ({"divisor_fraction": 7}, "layernorm: 1/192 is 0 with 7 fraction bits"),
        ({"epsilon": -1}, "layernorm: epsilon must be 0 to 65536, got -1"),
        ({"root_degree": 5}, "layernorm: root_degree must be 1 to 4, got 5"),
        (
            {"weight": Fixed(width=16, integer=5, signed=False)},
            "layernorm: weight must be signed, got ufixed(16,5)",
        ),
        (
            {"accumulator": Fixed(width=32, integer=10, overflow="saturate")},
            "layernorm: accumulator must floor and wrap, got fixed(32,10,floor,saturate)",
        ),
        (
            {"activation": Fixed(width=40, integer=10)},
            "layernorm: a product may have 64 bits, 72 asked for",
        ),
        ({"root": Fixed(width=31, integer=9, signed=False)}, "layernorm: root must saturate, got ufixed(31,9)"),
        (
            {"accumulator": Fixed(width=1, integer=1)},
            "layernorm: epsilon 4 exceeds fixed(1,1)",
        ),
        (
            {"accumulator": Fixed(width=32, integer=0)},
            "layernorm: accumulator must have its point within its bits, a sign before it, got fixed(32,0)",
        ),
    ],
)
def test_a_parameter_that_cannot_be_is_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        LayerNormContract.from_preset("rtl", **changes)
    assert str(caught.value) == message

"""Division and square root: against whole and rational numbers, their bounds, and the messages of wrong parameters."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import ContractError
from hwsim.rtl.divide.contract import DivideContract
from hwsim.rtl.divide.golden import divide
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.inverse_root.contract import InverseRootContract, ReciprocalContract, RsqrtContract
from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.square_root.contract import SquareRootContract
from hwsim.rtl.square_root.golden import square_root
from hwsim.rtl.topk_gate.contract import TopkGateContract

WIDE = DivideContract.from_preset("rtl", quotient=Fixed(width=53, integer=31))
NEAREST = DivideContract.from_preset("rtl", quotient=Fixed(width=53, integer=31, rounding="nearest_even"))
FLOORED = SquareRootContract.from_preset("rtl", result=Fixed(width=27, integer=5, signed=False))
NUMERATORS, DENOMINATORS = st.integers(0, (1 << 23) - 1), st.integers(1, (1 << 31) - 1)


@given(NUMERATORS, DENOMINATORS)
def test_a_quotient_is_floored_or_rounded_once(a: int, b: int) -> None:
    exact = Fraction(a << 22, b)
    assert int(divide(WIDE, a, np.array(b))) == exact // 1
    assert int(divide(NEAREST, a, np.array(b))) == round(exact)


def test_a_quotient_in_the_middle_goes_to_the_even_one() -> None:
    c = DivideContract.from_preset("rtl", numerator=Fixed(width=4, integer=4, signed=False), quotient=Fixed(
        width=8, integer=8, rounding="nearest_even"), denominator=Fixed(width=4, integer=4, signed=False))  # fmt: skip
    assert divide(c, np.array([1, 3, 5, 7]), np.array([2])).tolist() == [0, 2, 2, 4]


def test_over_0_is_the_largest_quotient() -> None:
    c = DivideContract.from_preset("published")
    assert divide(c, np.array([0, 1]), np.array([0, 0])).tolist() == [(1 << 31) - 1] * 2


@given(st.integers(0, (1 << 31) - 1))
def test_a_root_is_floored_or_rounded_to_nearest(code: int) -> None:
    square, x = code << 22, np.array([code])
    assert square_root(FLOORED, x).tolist() == [isqrt(square)]
    root = int(square_root(SquareRootContract.from_preset("rtl"), x)[0])
    assert (2 * root - 1) ** 2 < 4 * square or root == 0
    assert 4 * square < (2 * root + 1) ** 2


def test_squares_and_their_neighbours_are_exact_up_to_62_bits() -> None:
    c = SquareRootContract.from_preset(
        "rtl", argument=Fixed(width=53, integer=53, signed=False), result=Fixed(width=31, integer=27, signed=False)
    )
    roots = np.array([1 << 26, (1 << 26) - 1, 94906265])  # the last is the largest whose square has 53 bits
    around = np.concatenate([roots**2 - 1, roots**2, roots**2 + 1])
    assert square_root(c, around).tolist() == [isqrt(int(code) << 8) for code in around]


@pytest.mark.parametrize(
    "c",
    [
        ReciprocalContract.from_preset("published"),
        RsqrtContract.from_preset("published"),
        RsqrtContract.from_preset("rtl", method="division"),
    ],
)
def test_inverses_by_division_keep_their_bound(c: InverseRootContract) -> None:
    x = np.unique(np.geomspace(17, c.argument.code_range[1], 20_000).astype(np.int64))
    exact = (x * c.argument.resolution) ** (-1 / (1 << c.root_log2))
    absolute, relative = c.error_bound
    within = exact < c.result.maximum
    used = np.abs(inverse_root(c, x) * c.result.resolution - exact)[within] / (absolute + relative * exact[within])
    assert 1 / 6 < used.max() <= 1


def test_depths_follow_from_the_bits_of_a_stage() -> None:
    """45 bits of a quotient and 27 of a root, one more register each, and those that a tool may move."""
    assert [DivideContract(bits_per_stage=bits).latency for bits in (1, 2, 4, 8)] == [46, 24, 13, 7]
    assert [SquareRootContract(bits_per_stage=bits).latency for bits in (1, 2, 4, 8)] == [28, 15, 8, 5]
    assert ReciprocalContract.from_preset("published").cycles(100) == 149  # depth 50 in an HLS log
    assert RsqrtContract.from_preset("published").cycles(100) == 122  # depth 23


@pytest.mark.parametrize(
    ("contract", "changes", "message"),
    [
        (DivideContract, {"bits_per_stage": 9}, "divide: bits_per_stage must be 1 to 8, got 9"),
        (
            DivideContract,
            {"numerator": Fixed(width=23, integer=1)},
            "divide: numerator must be unsigned, got fixed(23,1)",
        ),
        (
            DivideContract,
            {"numerator": Fixed(width=41, integer=19, signed=False)},
            "divide: a dividend may have 1 to 62 bits, 63 asked for",
        ),
        (
            DivideContract,
            {"quotient": Fixed(width=8, integer=10, rounding="nearest_even")},
            "divide: quotient must floor if bits of the numerator are cut off, got fixed(8,10,nearest_even,wrap)",
        ),
        (
            SquareRootContract,
            {"result": Fixed(width=20, integer=10)},
            "square_root: result must have half as many fraction bits as ufixed(31,9) at least, got fixed(20,10)",
        ),
        (
            SquareRootContract,
            {"argument": Fixed(width=41, integer=19, signed=False)},
            "square_root: a square may have 62 bits, 63 asked for",
        ),
        (ExpContract, {"method": "taylor"}, "exp: method must be polynomial or tables, got 'taylor'"),
        (
            ExpContract,
            {"method": "tables", "argument": Fixed(width=33, integer=10)},
            "exp: argument must have 3 to 22 fraction bits for tables, got fixed(33,10)",
        ),
        (
            ExpContract,
            {"method": "tables", "result": Fixed(width=30, integer=2)},
            "exp: result must hold 1 and have 2 to 27 fraction bits, got fixed(30,2)",
        ),
        (
            ReciprocalContract,
            {"result": Fixed(width=32, integer=10)},
            "reciprocal: result must be unsigned, got fixed(32,10)",
        ),
        (LayerNormContract, {"root_method": "x"}, "layernorm: root_method must be polynomial or division, got 'x'"),
        (MvContract, {"exp_method": "x"}, "mv: exp_method must be polynomial or tables, got 'x'"),
        (
            MvContract,
            {"exp_method": "tables", "activation": Fixed(width=32, integer=9)},
            "mv: activation must have 3 to 22 fraction bits for tables, got fixed(33,10)",
        ),
        (QkReorderContract, {"scale_at": "end"}, "qk_reorder: scale_at must be sum or beat, got 'end'"),
        (
            OnlineSoftmaxContract,
            {"inverse_method": "x"},
            "online_softmax: inverse_method must be polynomial or division, got 'x'",
        ),
        (TopkGateContract, {"probability": "x"}, "topk_gate: probability must be inverse or quotient, got 'x'"),
        (
            TopkGateContract,
            {"probability": "quotient", "score": Fixed(width=53, integer=1)},
            "topk_gate: a dividend may have 1 to 62 bits, 75 asked for",
        ),
    ],
)
def test_a_parameter_that_cannot_be_is_one_line(contract: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        contract.from_preset("rtl", **changes)
    assert str(caught.value) == message


def test_one_word_changes_one_part_of_a_preset() -> None:
    ours = LayerNormContract.from_text("published", {"root_bits_per_stage": "1", "root_output_stages": "0"})
    assert (ours.statistics_latency, LayerNormContract.from_preset("published").statistics_latency) == (91, 79)
    mixed = TopkGateContract.from_text("published", {"probability": "inverse"})
    assert (mixed.exp_method, mixed.probability, mixed.reciprocal.method) == ("tables", "inverse", "polynomial")
    assert TopkGateContract.from_text("rtl", {"probability": "quotient"}).divider.numerator.width == 23

"""exp, reciprocals and GELU: the stated error bounds against float64, over whole input ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from mapping.formats import Fixed
from rtl.blocks import BLOCKS
from rtl.contract import ContractError
from rtl.exp.contract import ExpContract
from rtl.exp.golden import exp
from rtl.gelu_delta.contract import GeluDeltaContract
from rtl.gelu_delta.golden import gelu
from rtl.gelu_delta.table import delta_codes
from rtl.inverse_root.contract import InverseRootContract, ReciprocalContract, RsqrtContract
from rtl.inverse_root.golden import inverse_root
from rtl.ports import Codes

SLOW = pytest.mark.slow
CHUNK = 1 << 20


def chunks(low: int, high: int, step: int = 1) -> Iterator[Codes]:
    """Codes low..high, both included, every `step`-th."""
    for start in range(low, high + 1, CHUNK * step):
        yield np.arange(start, min(start + CHUNK * step, high + 1), step, dtype=np.int64)


@pytest.mark.parametrize("step", [1021, pytest.param(1, marks=SLOW)])
@pytest.mark.parametrize("index", range(len(BLOCKS["exp"].cases.SETS)))
def test_exp_keeps_its_bound(index: int, step: int) -> None:
    c: ExpContract = BLOCKS["exp"].sets()[index]
    lowest = max(c.argument.code_range[0], -(1 << c.magnitude_bits))
    step = step if -lowest > 1 << 20 else 1
    worst = max(
        float(np.abs(c.result.dequantise(exp(c, x)) - np.exp(x * c.argument.resolution)).max())
        for x in chunks(lowest, 0, step)
    )
    assert c.error_bound / 6 < worst <= c.error_bound  # and the bound is no excuse


def test_exp_is_0_below_its_clamp_and_1_above_0() -> None:
    for c in BLOCKS["exp"].sets():
        low, high = c.argument.code_range
        below = np.array([code for code in (low, -(1 << c.magnitude_bits) - 1) if code >= low])
        assert np.exp(below * c.argument.resolution).max(initial=0) < c.result.resolution or c.argument.integer < 5
        assert set(exp(c, np.array([0, 1, high])).tolist()) == set(exp(c, np.array([0])).tolist())
    assert exp(ExpContract.from_preset("rtl"), np.array([-(1 << 31), -(1 << 27), 0])).tolist() == [0, 0, 1 << 22]


@pytest.mark.parametrize("name", ["reciprocal", "rsqrt"])
@pytest.mark.parametrize("index", range(6))
def test_roots_keep_their_bound(name: str, index: int) -> None:
    """Over all arguments: what the table's argument cuts off makes classes of equal results, checked at both ends.

    The function falls, so that its error over a class is largest at one of its ends.
    """
    c: InverseRootContract = BLOCKS[name].sets()[index]
    for x in _class_ends(c, dense=1 << 12):
        _check_root(c, x)


@SLOW
@pytest.mark.parametrize("contract", [ReciprocalContract, RsqrtContract])
def test_roots_keep_their_bound_for_every_argument(contract: type[InverseRootContract]) -> None:
    c = contract.from_preset("rtl")
    for x in _class_ends(c, dense=None):
        _check_root(c, x)


def _check_root(c: InverseRootContract, x: Codes) -> None:
    values = (x * c.argument.resolution) ** (-1 / (1 << c.root_log2))
    exact = np.minimum(values, c.result.maximum)
    absolute, relative = c.error_bound
    error = np.abs(c.result.dequantise(inverse_root(c, x)) - exact)
    worst = int(np.argmax(error - (absolute + relative * exact)))
    assert error[worst] <= absolute + relative * exact[worst], f"at code {x[worst]}"


def _class_ends(c: InverseRootContract, dense: int | None) -> Iterator[Codes]:
    """First and last argument of the classes of equal mantissa; `dense` of them an octave, or all."""
    for position in range(c.argument.width):
        cut = max(position - c.working_fraction, 0)
        count = 1 << (position - cut)
        step = 1 if dense is None or count <= dense else count // dense + 1  # odd: all residues come
        for part in chunks(0, count - 1, step):
            first = (1 << position) + (part << cut)
            yield first
            if cut:
                yield first + (1 << cut) - 1


def test_roots_of_0_are_the_largest_result() -> None:
    for c in (ReciprocalContract.from_preset("rtl"), RsqrtContract.from_preset("rtl")):
        assert inverse_root(c, np.array([0, 1 << 22, 1 << 24])).tolist() == [
            (1 << 31) - 1,
            1 << 22,
            1 << (20 if isinstance(c, ReciprocalContract) else 21),
        ]


@numba.njit
def _gelu_float64(x: NDArray[np.float64]) -> NDArray[np.float64]:
    result = np.empty_like(x)
    for i in range(x.size):
        result[i] = x[i] * math.erfc(-x[i] / math.sqrt(2.0)) / 2
    return result


@pytest.mark.parametrize("step", [1021, pytest.param(1, marks=SLOW)])
@pytest.mark.parametrize("index", range(len(BLOCKS["gelu_delta"].cases.SETS)))
def test_gelu_keeps_its_bound(index: int, step: int) -> None:
    c: GeluDeltaContract = BLOCKS["gelu_delta"].sets()[index]
    low, high = c.value.code_range
    end = min((c.limit_steps + 1) << c.rest_bits, high)
    step = step if end > 1 << 20 else 1
    worst = max(
        float(np.abs(gelu(c, x) * c.value.resolution - _gelu_float64(x * c.value.resolution)).max())
        for x in chunks(max(-end, low), end, step)
    )
    assert worst <= c.error_bound
    # behind the table it is the rectifier, which the bound allows for
    assert gelu(c, np.array([low, high])).tolist() == [0, high] or high < c.limit_steps << c.rest_bits


def test_the_table_of_edge_moe() -> None:
    c = GeluDeltaContract.from_preset("published")
    codes = delta_codes(c)
    assert (len(codes), codes[0], max(codes), codes.index(max(codes)), codes[-1]) == (177, 0, 712908, 24, 0)
    rises = [after > before for before, after in pairwise(codes[:26])]
    assert rises == [True] * 24 + [False]
    worst = max(
        float(np.abs(gelu(c, x) * c.value.resolution - _gelu_float64(x * c.value.resolution)).max())
        for x in chunks(-(6 << 22), 6 << 22, 509)
    )
    assert 9.6e-5 < worst < 9.8e-5  # 9.763e-5 over all codes, near x = -1/64


@pytest.mark.parametrize(
    ("contract", "changes", "message"),
    [
        (ExpContract, {"degree": 5}, "exp: degree must be 1 to 4, got 5"),
        (
            ExpContract,
            {"argument": Fixed(width=8, integer=4, signed=False)},
            "exp: argument must be signed, got ufixed(8,4)",
        ),
        (
            ExpContract,
            {"result": Fixed(width=22, integer=0, signed=False)},
            "exp: result must hold 1 and have 2 to 28 fraction bits, got ufixed(22,0)",
        ),
        (
            ReciprocalContract,
            {"argument": Fixed(width=32, integer=10)},
            "reciprocal: argument must be unsigned, got fixed(32,10)",
        ),
        (
            GeluDeltaContract,
            {"value": Fixed(width=32, integer=30)},
            "gelu_delta: steps of 2^-5 need 5 fraction bits, fixed(32,30) has fewer",
        ),
    ],
)
def test_a_parameter_that_cannot_be_is_one_line(contract: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        contract.from_preset("rtl", **changes)
    assert str(caught.value) == message

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

from hwsim.mapping.formats import Fixed
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import ContractError
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.exp.golden import exp
from hwsim.rtl.gelu_delta.contract import GeluDeltaContract
from hwsim.rtl.gelu_delta.golden import gelu
from hwsim.rtl.gelu_delta.table import delta_codes
from hwsim.rtl.inverse_root.contract import InverseRootContract, ReciprocalContract, RsqrtContract
from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.ports import Codes

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


def roots() -> dict[str, InverseRootContract]:
    """The root units of all sets that have a table, and those within other blocks, each once."""
    found = {f"{name}-{i}": c for name in ("reciprocal", "rsqrt") for i, c in enumerate(BLOCKS[name].sets())}
    for name in ("online_softmax", "topk_gate"):
        whole = [BLOCKS[name].contract.from_preset("rtl"), *BLOCKS[name].sets(), *BLOCKS[name].extremes()]
        found |= {f"{name}-{c.total}-{c.inverse}": c.reciprocal for c in whole if "inverse" not in c.unread}
    layernorms = BLOCKS["layernorm"].sets() + BLOCKS["layernorm"].extremes()
    found |= {f"layernorm-{i}": c.rsqrt for i, c in enumerate(layernorms)}
    return {
        next(name for name, c in found.items() if c == once): once
        for once in found.values()
        if once.method == "polynomial"
    }


@pytest.mark.parametrize("c", roots().values(), ids=roots())
def test_roots_keep_their_bound(c: InverseRootContract) -> None:
    """Over all arguments: the bits below the table's argument give classes of equal results, checked at both ends.

    The function falls, so its error over a class is largest at one of the ends.
    """
    used = np.array([_used_of_bound(c, x) for x in _class_ends(c, dense=1 << 12)]).max(axis=0)
    # and the bound is tight, both near 0 and where its relative part (if it ever does) exceeds the absolute one
    assert used[0] > 1 / 5
    assert used[1] > 1 / 5 or c.result.maximum * c.error_bound[1] < 2 * c.error_bound[0]


def test_the_reciprocal_of_the_published_softmax_is_among_them() -> None:
    formats = {(str(c.argument), str(c.result)) for c in roots().values()}
    assert ("ufixed(31,9)", "ufixed(23,1,nearest_even,saturate)") in formats


@SLOW
@pytest.mark.parametrize("contract", [ReciprocalContract, RsqrtContract])
def test_roots_keep_their_bound_for_every_argument(contract: type[InverseRootContract]) -> None:
    c = contract.from_preset("rtl")
    for x in _class_ends(c, dense=None):
        _used_of_bound(c, x)


def _used_of_bound(c: InverseRootContract, x: Codes) -> tuple[float, float]:
    """The largest ratio of error to bound: over all results, and over those for which its relative part is larger.

    Raises
    ------
    AssertionError : an error exceeds the bound
    """
    values = (x * c.argument.resolution) ** (-1 / (1 << c.root_log2))
    exact = np.minimum(values, c.result.maximum)
    absolute, relative = c.error_bound
    used = np.abs(c.result.dequantise(inverse_root(c, x)) - exact) / (absolute + relative * exact)
    assert used.max() <= 1, f"at code {x[np.argmax(used)]}"
    steep = (relative * exact >= absolute) & (values <= c.result.maximum)
    return float(used.max()), float(used[steep].max(initial=0))


def _class_ends(c: InverseRootContract, dense: int | None) -> Iterator[Codes]:
    """First and last argument of the classes of equal mantissa; `dense` classes per octave, or all."""
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
@pytest.mark.parametrize("index", range(len(BLOCKS["gelu_delta"].sets() + BLOCKS["gelu_delta"].extremes())))
def test_gelu_keeps_its_bound(index: int, step: int) -> None:
    c: GeluDeltaContract = [*BLOCKS["gelu_delta"].sets(), *BLOCKS["gelu_delta"].extremes()][index]
    low, high = c.value.code_range
    end = min((c.limit_steps + 1) << c.rest_bits, high)
    step = step if end > 1 << 20 else 1
    worst = max(
        float(np.abs(gelu(c, x) * c.value.resolution - _gelu_float64(x * c.value.resolution)).max())
        for x in chunks(max(-end, low), end, step)
    )
    assert c.error_bound / 2 < worst <= c.error_bound  # and the bound is no excuse
    # beyond the table it is the rectifier, which the bound includes
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
            {"argument": Fixed(width=13, integer=100)},
            "exp: argument may have steps of at most 2^5, got fixed(13,100)",
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

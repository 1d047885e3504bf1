"""The MAC unit: its order of additions, and the compiled model equal to the slow one."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.machines.pim_gpt.mac_kernel import MacKernel
from hwsim.mapping.formats import BF16, FP8_E4M3, FP16, FP32, Float, Int, round_to
from hwsim.rtl.contract import ContractError
from hwsim.rtl.mac_unit.contract import MacUnitContract
from hwsim.rtl.mac_unit.golden import MacUnit

DTYPES = {"bf16": ml_dtypes.bfloat16, "fp16": np.float16, "fp32": np.float32}
formats = st.sampled_from([BF16, FP16, FP32])
contracts = st.builds(
    MacUnitContract,
    lanes=st.integers(1, 20),
    column_elements=st.integers(1, 18),
    tree=formats,
    accumulator=formats,
    output=formats,
)


def by_scalars(weights: list[float], inputs: list[float], c: MacUnitContract) -> float:
    """One output, a scalar at a time, in the arithmetic of numpy's and ml_dtypes' own types."""
    tree, accumulator = DTYPES[str(c.tree)], DTYPES[str(c.accumulator)]
    total = accumulator(0)
    for column in range(0, len(weights), c.column_elements):
        stop = min(column + c.column_elements, len(weights))
        for first in range(column, stop, c.lanes):
            terms = [
                tree(round_to(np.float64(weights[i]) * np.float64(inputs[i]), c.tree))
                for i in range(first, min(first + c.lanes, stop))
            ]
            while len(terms) > 1:
                odd = terms[-1:] if len(terms) % 2 else []
                terms = [tree(a + b) for a, b in zip(terms[::2], terms[1::2])] + odd
            total = accumulator(total + accumulator(terms[0]))
    return float(DTYPES[str(c.output)](total))


def operands(rng: np.random.Generator, *shape: int) -> Any:
    """BF16 values of many magnitudes."""
    return round_to(rng.normal(size=shape) * 2.0 ** rng.integers(-12, 6, size=shape), BF16)


@given(c=contracts, outputs=st.integers(1, 4), inputs=st.integers(1, 50), seed=st.integers(0, 2**32))
def test_golden_and_compiled_model_do_what_scalars_do(c: MacUnitContract, outputs: int, inputs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, x = operands(rng, outputs, inputs), operands(rng, inputs)
    golden, kernel = MacUnit(c), MacKernel(c)
    with np.errstate(all="ignore"):
        expected = [by_scalars(row.tolist(), x.tolist(), c) for row in weights]
        np.testing.assert_array_equal(golden.sweep(weights, x), expected)
    np.testing.assert_array_equal(kernel.sweep(kernel.padded(weights), kernel.padded(x)), expected)


@given(c=contracts, exponent=st.integers(-140, 127), seed=st.integers(0, 2**32))
def test_the_compiled_model_rounds_as_the_golden_one_at_both_ends_of_the_range(
    c: MacUnitContract, exponent: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weights, x = round_to(rng.normal(size=(3, 20)) * 2.0**exponent, BF16), operands(rng, 20)
    golden, kernel = MacUnit(c), MacKernel(c)
    with np.errstate(all="ignore"):
        expected = golden.sweep(weights, x)
    np.testing.assert_array_equal(kernel.sweep(kernel.padded(weights), kernel.padded(x)), expected)


def test_the_order_of_additions_shows_where_it_matters() -> None:
    # neighbours first: (2^30 + 1) + (-2^30 + 1) loses both ones; with 2^30 next to its negative both would stay
    x = np.ones(16)
    apart, beside = np.zeros((1, 16)), np.zeros((1, 16))
    apart[0, :4] = [2.0**30, 1, -(2.0**30), 1]
    beside[0, :4] = [2.0**30, -(2.0**30), 1, 1]
    unit = MacUnit(MacUnitContract())
    assert (unit.sweep(apart, x).tolist(), unit.sweep(beside, x).tolist()) == ([0.0], [2.0])
    # one lane adds in order: ((2^30 + 1) - 2^30) + 1
    assert MacUnit(MacUnitContract(lanes=1)).sweep(apart, x).tolist() == [1.0]
    # columns in order: 256 in BF16 swallows every 1 after it, and none before it
    narrow = MacUnit(MacUnitContract(lanes=1, column_elements=1, accumulator=BF16))
    assert narrow.sweep([[256, 1, 1], [1, 1, 256]], [1, 1, 1]).tolist() == [256.0, 258.0]


@given(inputs=st.integers(1, 200), seed=st.integers(0, 2**32))
def test_fp32_stays_within_the_bound_of_its_additions(inputs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, x = operands(rng, 3, inputs), operands(rng, inputs)
    got = MacUnit(MacUnitContract(output=FP32)).sweep(weights, x)
    additions = 4 + -(-inputs // 16)  # on the longest path through tree and accumulator
    assert (np.abs(got - weights @ x) <= additions * 2.0**-24 * 1.01 * (np.abs(weights) @ np.abs(x))).all()


def test_narrower_accumulators_are_less_exact() -> None:
    rng = np.random.default_rng(5)
    weights, x = round_to(rng.normal(size=(64, 1024)), BF16), round_to(rng.normal(size=1024), BF16)

    def error(fmt: Float) -> float:
        return float(
            np.abs(MacUnit(MacUnitContract(accumulator=fmt, output=FP32)).sweep(weights, x) - weights @ x).mean()
        )

    assert error(FP32) < 1e-4 < error(FP16) < 0.1 < error(BF16) < 1


def test_cycles_by_hand() -> None:
    assert MacUnitContract().cycles(48) == 48  # a column access of 16 elements a cycle
    assert MacUnitContract(lanes=8).cycles(48) == 96
    assert MacUnitContract(lanes=12).cycles(1) == 2
    assert MacUnitContract(lanes=64).cycles(48) == 48


def test_sums_in_integers_are_refused() -> None:
    with pytest.raises(ContractError, match="mac_unit: accumulator must be one of bf16, fp16, fp32, got int8"):
        MacUnitContract(accumulator=Int(width=8))


def test_floats_that_overflow_otherwise_are_refused() -> None:
    with pytest.raises(ContractError, match="mac_unit: operand must be one of bf16, fp16, fp32, got fp8_e4m3"):
        MacUnitContract(operand=FP8_E4M3)

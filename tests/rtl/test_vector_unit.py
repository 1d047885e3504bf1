"""The vector unit: cycles follow from operations, and the golden model executes exactly these."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from hwsim.mapping.formats import BF16, FP8_E5M2, FP16, FP32, Float, Format, Int, round_to
from hwsim.rtl.contract import ContractError
from hwsim.rtl.vector_unit.contract import Phases, VectorUnitContract
from hwsim.rtl.vector_unit.golden import Arithmetic, Values, VectorUnit

UNIT = VectorUnitContract.from_preset("published")
GOLDEN = VectorUnit(UNIT)


class CountingArithmetic(Arithmetic):
    """Counts each operation per element; work on the exponent and comparisons count as additions."""

    def __init__(self) -> None:
        super().__init__(FP32)
        self.adds = 0
        self.multiplies = 0

    def _count_add(self, result: Values, times: int = 1) -> Values:
        self.adds += times * result.size
        return result

    def add(self, a: ArrayLike, b: ArrayLike) -> Values:
        return self._count_add(super().add(a, b))

    def multiply(self, a: ArrayLike, b: ArrayLike) -> Values:
        result = super().multiply(a, b)
        self.multiplies += result.size
        return result

    def maximum(self, a: Values, b: Values) -> Values:
        return self._count_add(super().maximum(a, b))

    def to_integer(self, a: Values) -> Values:
        return self._count_add(super().to_integer(a), times=2)

    def scale_exponent(self, a: Values, k: Values) -> Values:
        return self._count_add(super().scale_exponent(a, k))

    def bits_subtract(self, minuend: int, a: Values) -> Values:
        return self._count_add(super().bits_subtract(minuend, a))


@pytest.mark.parametrize("terms", [1, 6])
@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (12, 64)])
def test_the_golden_model_does_the_operations_that_the_contract_charges(
    shape: tuple[int, int], terms: int, steps: int
) -> None:
    contract = VectorUnitContract.from_preset("published", taylor_terms=terms, newton_steps=steps, rsqrt_steps=steps)
    x = np.random.default_rng(1).normal(size=shape)
    work: list[tuple[Callable[[VectorUnit], Values], Phases]] = [
        (lambda unit: unit.softmax(x, 0.125), contract.softmax_phases(*shape)),
        (lambda unit: unit.gelu(x), contract.gelu_phases(x.size)),
        (lambda unit: unit.layernorm(x, 1.0, 0.0), contract.layernorm_phases(*shape)),
        (lambda unit: unit.silu(x), contract.silu_phases(x.size)),
        (lambda unit: unit.glu(x, x, "silu"), contract.glu_phases(x.size, "silu")),
        (lambda unit: unit.glu(x, x, "gelu"), contract.glu_phases(x.size, "gelu")),
        (lambda unit: unit.rmsnorm(x, 1.0), contract.rmsnorm_phases(*shape)),
        (lambda unit: unit.rope(np.stack([x, x], axis=-1), 0.5, 0.5), contract.rope_phases(2 * x.size)),
        (lambda unit: unit.add(x, x), contract.add_phases(x.size)),
        (lambda unit: unit.accumulate(x), contract.accumulate_phases(shape[1], shape[0])),
    ]
    for function, phases in work:
        counting = CountingArithmetic()
        function(VectorUnit(contract, counting, counting))
        assert (counting.adds, counting.multiplies) == contract.operations(phases)


def test_cycles_by_hand() -> None:
    assert UNIT.cycles(UNIT.add_phases(768)) == 3  # 768 additions on 256 adders
    assert UNIT.cycles(UNIT.accumulate_phases(768, 4)) == 9 + 2  # three additions an element, two levels of filling
    assert UNIT.cycles(UNIT.argmax_phases(1024)) == 4 + 9  # 1,023 comparisons in a tree of ten levels
    assert UNIT.cycles(UNIT.add_phases(0)) == 0
    # an exponential: 9 additions and 7 multiplications; with its subtraction 10 and 7 for each of 12,288 scores
    assert UNIT.exp_operations == (9, 7)
    exponential = UNIT.softmax_phases(12, 1024)[2]
    assert (exponential.adds, exponential.multiplies) == (122_880, 86_016)
    assert UNIT.cycles((exponential,)) == 672 + 16  # 86,016 multiplications on 128, and a chain of 17 to fill


def test_cycles_of_small_functions_by_hand() -> None:
    # two rows of 4 fit the units at once, so each phase takes 1 cycle and its chain's filling:
    # scale 1 + 0, maximum 1 + 1, exponential 1 + 16, sum 1 + 1, reciprocal (6 adds, 7 multiplies) 1 + 12, normalise 1
    assert UNIT.cycles(UNIT.softmax_phases(2, 4)) == 1 + 2 + 17 + 2 + 13 + 1
    # sum 2, mean 1, differences 1 + 1, sum 2, inverse deviation (4, 4) 1 + 7, normalise (1, 2) 1 + 2
    assert UNIT.cycles(UNIT.layernorm_phases(1, 4)) == 2 + 1 + 2 + 2 + 8 + 3
    # squares 1, sum 2, inverse root (4, 4) 1 + 7, normalise 2 + 0
    assert UNIT.cycles(UNIT.rmsnorm_phases(1, 4)) == 1 + 2 + 8 + 2
    # exponential (9, 7), one addition, reciprocal (6, 7), product; and the product with the gated input
    assert UNIT.operations(UNIT.silu_phases(1)) == (16, 15)
    assert UNIT.operations(UNIT.glu_phases(1, "silu")) == (16, 16)
    # a pair: four products, a sum and a difference
    assert UNIT.operations(UNIT.rope_phases(2)) == (2, 4)
    assert UNIT.cycles(UNIT.rope_phases(128)) == 2 + 1
    assert UNIT.operations(UNIT.gelu_phases(1)) == (17, 18)
    assert UNIT.cycles(UNIT.gelu_phases(1)) == 1 + 34


def test_no_work_takes_nothing() -> None:
    for phases in (
        UNIT.softmax_phases(1, 0),
        UNIT.softmax_phases(0, 8),
        UNIT.layernorm_phases(2, 0),
        UNIT.rmsnorm_phases(2, 0),
        UNIT.gelu_phases(0),
        UNIT.silu_phases(0),
        UNIT.glu_phases(0, "silu"),
        UNIT.rope_phases(0),
        UNIT.add_phases(0),
        UNIT.accumulate_phases(5, 0),
        UNIT.argmax_phases(0),
    ):
        assert (UNIT.operations(phases), UNIT.cycles(phases), UNIT.words(phases)) == ((0, 0), 0, 0)
    assert UNIT.operations(UNIT.accumulate_phases(5, 1)) == (0, 0)


def test_memory_words_by_hand() -> None:
    assert UNIT.words(UNIT.add_phases(10)) == 30
    assert UNIT.words(UNIT.softmax_phases(2, 5)) == 3 * 20 + 2 * 12 + 2 * 2


@given(rows=st.integers(1, 8), length=st.integers(1, 300), scale=st.integers(1, 4))
def test_more_units_are_never_slower_and_more_work_never_faster(rows: int, length: int, scale: int) -> None:
    more = VectorUnitContract.from_preset("published", adders=256 * scale, multipliers=128 * scale)
    for phases, longer in (
        (UNIT.softmax_phases(rows, length), UNIT.softmax_phases(rows, length + 1)),
        (UNIT.layernorm_phases(rows, length), UNIT.layernorm_phases(rows, length + 1)),
        (UNIT.gelu_phases(length), UNIT.gelu_phases(length + 1)),
    ):
        assert more.cycles(phases) <= UNIT.cycles(phases) <= UNIT.cycles(longer)
        adds, multiplies = UNIT.operations(phases)
        assert UNIT.cycles(phases) >= max(adds / 256, multiplies / 128)


def test_latencies_fill_the_pipeline_once_a_phase() -> None:
    slow = VectorUnitContract.from_preset("published", adder_latency=3, multiplier_latency=4)
    assert slow.cycles(slow.add_phases(768)) == 3 + 2
    assert slow.cycles(slow.softmax_phases(1, 1)[:1]) == 1 + 3


def test_a_unit_without_adders_is_refused() -> None:
    with pytest.raises(ContractError, match="vector_unit: adders must be 1 to 1000000, got 0"):
        VectorUnitContract.from_preset("published", adders=0)


def test_negative_work_is_refused() -> None:
    with pytest.raises(ContractError, match="vector_unit: length must not be negative, got -1"):
        UNIT.softmax_phases(1, -1)


@pytest.mark.parametrize("name", ["internal", "accumulator"])
@pytest.mark.parametrize("fmt", [Int(width=8), FP8_E5M2], ids=str)
def test_arithmetic_that_the_algorithms_were_not_made_for_is_refused(name: str, fmt: Format) -> None:
    with pytest.raises(ContractError, match=f"vector_unit: {name} must be one of bf16, fp16, fp32, got {fmt}"):
        VectorUnitContract.from_preset("published", **{name: fmt})


def test_errors_of_the_functions_over_their_range() -> None:
    x = np.linspace(-86.9, 88, 200_001).astype(np.float32).astype(np.float64)
    d = np.exp(np.linspace(-60, 60, 200_001)).astype(np.float32).astype(np.float64)
    assert np.abs(GOLDEN.exp(x) / np.exp(x) - 1).max() < 8e-6  # the series ends after r^5; FP32 holds k ln 2
    assert np.abs(GOLDEN.reciprocal(d) * d - 1).max() < 1.5e-7
    assert np.abs(GOLDEN.rsqrt(d) * np.sqrt(d) - 1).max() < 1.76e-3  # the known error of one step


@pytest.mark.parametrize("fmt", [BF16, FP16, FP32], ids=str)
def test_far_from_zero_the_functions_end_in_their_limits(fmt: Float) -> None:
    unit = VectorUnit(VectorUnitContract.from_preset("published", internal=fmt, accumulator=fmt, output=fmt))
    assert unit.exp([-np.inf, np.inf, 1e30]).tolist() == [0.0, np.inf, np.inf]
    assert unit.reciprocal([1.0, np.inf]).tolist() == pytest.approx([1.0, 0.0], abs=1e-2)
    assert unit.gelu([-300.0, 0.0]).tolist() == [0.0, 0.0]
    assert unit.gelu([300.0]).item() == pytest.approx(300, rel=1e-2)
    assert unit.softmax([[0.0, -np.inf]]).tolist() == pytest.approx(np.array([[1.0, 0.0]]), abs=1e-2)


def test_constants_are_stored_in_the_internal_format() -> None:
    # 0.1 is 0.10009765625 in BF16; its product with 3 rounds from there, not from 0.1
    assert Arithmetic(BF16).multiply(np.array([3.0]), 0.1).tolist() == round_to([3 * 0.10009765625], BF16).tolist()
    assert Arithmetic(BF16).add(np.array([0.0]), 0.1).tolist() == [0.10009765625]


def test_the_exponential_ends_in_zero() -> None:
    assert GOLDEN.exp([-88.0, -1e30, 0.0]).tolist() == [0.0, 0.0, 1.0]


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=50))
def test_softmax_follows_float64(scores: list[float]) -> None:
    x = round_to(np.array([scores]), BF16)
    exact = np.exp(x - x.max())
    exact /= exact.sum()
    got = GOLDEN.softmax(x)
    assert np.abs(got - exact).max() < 2**-8  # half an LSB of BF16 below 1, and the arithmetic's own error
    assert abs(got.sum() - 1) < 0.01


def test_gelu_follows_its_tanh_form() -> None:
    x = round_to(np.linspace(-9, 9, 4001), BF16)
    exact = 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    assert (np.abs(GOLDEN.gelu(x) - exact) <= np.abs(exact) * 2**-8 + 1e-6).all()
    assert GOLDEN.gelu([0.0, 100.0]).tolist() == [0.0, 100.0]
    assert abs(GOLDEN.gelu([-1e4]).item()) < 1e-30


def test_layernorm_follows_float64() -> None:
    x = round_to(np.random.default_rng(2).normal(3, 2, size=(4, 768)), BF16)
    exact = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    assert np.abs(GOLDEN.layernorm(x, 1.0, 0.0) - exact).max() < 0.014  # one step of the inverse square root: 0.18 %


def test_functions_of_llama_follow_float64() -> None:
    rng = np.random.default_rng(3)
    x, y = (round_to(rng.normal(0, 2, size=(4, 768)), BF16) for _ in range(2))
    silu = x / (1 + np.exp(-x))
    assert (np.abs(GOLDEN.silu(x) - silu) <= np.abs(silu) * 2**-8 + 1e-6).all()
    assert (np.abs(GOLDEN.glu(x, y, "silu") - silu * y) <= np.abs(silu * y) * 2**-8 + 1e-6).all()
    assert GOLDEN.silu([0.0, 100.0, -300.0]).tolist() == [0.0, 100.0, 0.0]
    exact = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)
    assert np.abs(GOLDEN.rmsnorm(x, 1.0) - exact).max() < 0.014  # one step of the inverse square root: 0.18 %
    angles = np.linspace(0, 3, 384)
    point = (x[:, :384] + 1j * x[:, 384:]) * np.exp(1j * angles)
    turned = np.concatenate([point.real, point.imag], axis=-1)
    got = GOLDEN.rope(x, np.cos(angles), np.sin(angles))
    assert (np.abs(got - turned) <= np.abs(turned) * 2**-8 + 1e-5).all()


def test_a_narrow_internal_format_is_less_exact() -> None:
    narrow = VectorUnit(VectorUnitContract.from_preset("published", internal=BF16, accumulator=BF16))
    x = np.linspace(-5, 5, 101)
    assert 1e-3 < np.abs(narrow.exp(x) / np.exp(x) - 1).max() < 0.1

"""Row-wise attention: bit for bit what scalars do, and what happens at the ends of a format's range."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.mapping.formats import BF16, FP16, FP32, Format
from hwsim.rtl import float_values
from hwsim.rtl.attention_core.contract import AttentionCoreContract
from hwsim.rtl.contract import ContractError
from hwsim.rtl.divide_out.contract import DivideOutContract
from hwsim.rtl.float_values import dtype_of, rounded_exp, to_format
from hwsim.rtl.row_attention.blocks import RowBlocks
from hwsim.rtl.row_attention.events import Events
from hwsim.rtl.row_attention.golden import IDLE, RowAttention
from hwsim.rtl.row_sum.contract import RowSumContract
from hwsim.rtl.z_reduce.contract import ZReduceContract
from tests.rtl.row_by_hand import RowByHand, exact_exp


def blocks(
    fmt: Format = FP16,
    *,
    cores: int,
    group: int = 64,
    sum_fmt: Format = FP32,
    qk_sum: Format | None = None,
    order: str = "tree",
    safe: bool = False,
) -> RowBlocks:
    """Blocks for rows of any size."""
    shape: Any = {"fmt": fmt, "cores": cores, "group": group}
    made = RowBlocks(
        core=AttentionCoreContract(fmt=fmt, sum_fmt=qk_sum or fmt),
        z_reduce=ZReduceContract(sum_fmt=sum_fmt, order=order, **shape),
        row_sum=RowSumContract(sum_fmt=sum_fmt, **shape),
        divide_out=DivideOutContract(fmt=fmt, sum_fmt=sum_fmt),
    )
    return made.safe if safe else made.plain


def attend(made: RowBlocks, q: Any, k: Any, v: Any, *passes: Any, scale: float = 1.0) -> tuple[np.ndarray, Events]:
    """Results of rows over passes of (rows, cores) keys; one pass over all keys unless given."""
    unit, fmt = RowAttention(made), made.core.fmt
    q, k, v = (to_format(x, fmt) for x in (q, k, v))
    partial, events = unit.nothing(len(q), v.shape[1]), Events()
    for keys in passes or (np.tile(np.arange(len(k)), (len(q), 1)),):
        partial, found = unit.pass_rows(unit.scaled(q, scale), k, v, np.asarray(keys), partial)
        events += found
    return unit.divided(partial).astype(np.float64), events


def softmax(q: Any, k: Any, v: Any, fmt: Format) -> np.ndarray:
    """Attention over all keys in float64, of values as the format holds them."""
    q, k, v = (to_format(x, fmt).astype(np.float64) for x in (q, k, v))
    scores = q @ k.T
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weights @ v / weights.sum(axis=1, keepdims=True))


floats = st.sampled_from([FP16, FP32, BF16])


@st.composite
def made_blocks(draw: st.DrawFn) -> RowBlocks:
    return blocks(
        draw(floats),
        cores=draw(st.integers(1, 9)),
        group=draw(st.integers(1, 5)),
        sum_fmt=draw(floats),
        qk_sum=draw(floats),
        order=draw(st.sampled_from(["tree", "chain"])),
        safe=draw(st.booleans()),
    )


@settings(deadline=None)
@given(
    made=made_blocks(), rows=st.integers(1, 3), size=st.integers(1, 6), values=st.integers(1, 3),
    passes=st.integers(1, 3), biased=st.booleans(), spread=st.sampled_from([0.1, 1.0, 3.0, 12.0, 200.0]),
    seed=st.integers(0, 2**32),
)  # fmt: skip
def test_golden_model_does_what_scalars_do(
    made: RowBlocks, rows: int, size: int, values: int, passes: int, biased: bool, spread: float, seed: int
) -> None:
    rng, fmt, keys = np.random.default_rng(seed), made.core.fmt, 7
    q, k, v = (to_format(rng.normal(size=s) * spread, fmt) for s in ((rows, size), (keys, size), (keys, values)))
    held = rng.integers(IDLE, keys, size=(passes, rows, made.cores))
    bias = to_format(rng.normal(size=held.shape), fmt) if biased else np.zeros(held.shape, dtype_of(fmt))
    unit, by_hand = RowAttention(made), RowByHand(made)
    scaled = unit.scaled(q, size**-0.5)
    partial = unit.nothing(rows, values)
    for key_rc, bias_rc in zip(held, bias):
        partial, _ = unit.pass_rows(scaled, k, v, key_rc, partial, bias_rc=bias_rc if biased else None)
    with np.errstate(all="ignore"):
        assert scaled.tolist() == [[by_hand.number(x * to_format(size**-0.5, fmt)) for x in row] for row in q]
        for row in range(rows):
            carried: Any = ([by_hand.sum(0)] * values, by_hand.sum(0), by_hand.number(-np.inf))
            for key_rc, bias_rc in zip(held, bias):
                k_c, v_c = ([None if key == IDLE else of[key] for key in key_rc[row]] for of in (k, v))
                carried = by_hand.row(scaled[row], k_c, v_c, bias_rc[row], carried)
            z, total, maximum = carried
            same(partial.z_rh[row], z)
            same(partial.sum_r[row], total)
            if partial.maximum_r is not None:
                same(partial.maximum_r[row], maximum)
            same(unit.divided(partial)[row], by_hand.divided(z, total))


def same(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(np.asarray(found).astype(np.float64), np.asarray(expected).astype(np.float64))


def test_every_exp_of_fp16_is_the_exact_one_rounded() -> None:
    codes = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    numbers = codes[np.isfinite(codes) & (np.abs(codes) < 20)]
    same(rounded_exp(numbers, FP16), [exact_exp(float(x), FP16) for x in numbers])


@given(x=st.floats(-110, 95, width=32), fmt=floats)
def test_exps_are_exact_ones_rounded(x: float, fmt: Format) -> None:
    number = to_format([x], fmt)
    same(rounded_exp(number, fmt), [exact_exp(float(number[0]), fmt)])


def test_where_float64_cannot_decide_exps_are_decided_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    x = to_format(np.linspace(-12, 11, 2000), FP16)
    usual = rounded_exp(x, FP16)
    monkeypatch.setattr(float_values, "_DOUBT", 2.0**-12)  # as if float64 had the bits of FP16
    same(rounded_exp(x, FP16), usual)


@pytest.mark.parametrize(
    ("fmt", "highest", "first_infinite", "lowest", "first_zero"),
    [
        (FP16, 11.0859375, 11.09375, -17.328125, -17.34375),
        (FP32, 88.72283172607422, 88.72283935546875, -103.97207641601562, -103.97208404541016),
    ],
)
def test_exps_end_where_their_format_ends(
    fmt: Format, highest: float, first_infinite: float, lowest: float, first_zero: float
) -> None:
    found = rounded_exp(np.array([highest, first_infinite, lowest, first_zero], dtype_of(fmt)), fmt)
    assert np.isfinite(found).tolist() == [True, False, True, True]
    assert (found > 0).tolist() == [True, True, True, False]


def test_scores_of_12_overflow_without_a_maximum_and_are_right_with_one() -> None:
    q, k = [[3.0, 0.0]], [[4.0, 0.0], [4.0, 1.0], [-1.0, 0.0]]  # scores 12, 12, -3
    v = [[1.0, 8.0], [3.0, 4.0], [1000.0, 1000.0]]
    plain, counted = attend(blocks(cores=3), q, k, v)
    assert np.isnan(plain).all()
    assert counted == Events(scores=3, infinite_exps=2)
    safe, counted = attend(blocks(cores=3, safe=True), q, k, v)
    assert safe.tolist() == [[2.0, 6.0]]
    assert counted == Events(scores=3)


def test_exps_that_all_underflow_leave_nothing_to_divide_by() -> None:
    q, k, v = [[4.0]], [[-5.0], [-5.0]], [[1.0], [3.0]]  # scores -20
    plain, counted = attend(blocks(cores=2), q, k, v)
    assert np.isnan(plain).all()
    assert counted == Events(scores=2, zero_exps=2)
    safe, counted = attend(blocks(cores=2, safe=True), q, k, v)
    assert safe.tolist() == [[2.0]]
    assert counted == Events(scores=2)


def test_a_product_can_overflow_where_its_exp_does_not() -> None:
    q, k, v = [[1.0]], [[10.0], [0.0]], [[3.0], [1.0]]  # exp(10) = 22,026, and 65,504 is the largest FP16
    plain, counted = attend(blocks(cores=2), q, k, v)
    assert np.isinf(plain).all()
    assert counted == Events(scores=2, infinite_products=1)
    assert attend(blocks(cores=2, safe=True), q, k, v)[0].tolist() == [[3.0]]


@pytest.mark.parametrize(("sum_fmt", "overflows"), [(FP32, 0), (FP16, 2)])
def test_wider_sums_keep_what_fp16_sums_lose(sum_fmt: Format, overflows: int) -> None:
    """Four exps of 22,026: neither the row's sum nor its numerator of 44,052 and more fits FP16."""
    q, k, v = [[1.0]], [[10.0]] * 4, [[1.0], [1.0], [2.0], [2.0]]
    found, counted = attend(blocks(cores=4, sum_fmt=sum_fmt), q, k, v)
    assert counted == Events(scores=4, infinite_sums=overflows)
    assert (found.tolist() == [[1.5]]) == (overflows == 0)


def test_scores_can_overflow_themselves() -> None:
    q, k, v = [[300.0, 300.0]], [[300.0, -300.0], [0.0, 0.0]], [[1.0], [2.0]]
    found, counted = attend(blocks(cores=2, safe=True), q, k, v)  # infinity less infinity
    assert np.isnan(found).all()
    assert counted == Events(scores=2, infinite_scores=1)
    assert attend(blocks(FP32, cores=2, safe=True), q, k, v)[1] == Events(scores=2)


@pytest.mark.parametrize("safe", [False, True])
@pytest.mark.parametrize("fmt", [FP16, FP32])
def test_equal_scores_give_the_mean(fmt: Format, safe: bool) -> None:
    """Whole numbers whose sum is exact, of keys that all score 0: exps are 1, so that nothing is rounded."""
    rng = np.random.default_rng(1)
    v = rng.integers(-100, 100, size=(512, 8)) * 1.0
    v[-1] -= v.sum(axis=0) % 512  # whole means
    q, k = np.zeros((3, 4)), rng.normal(size=(512, 4))
    found, _ = attend(blocks(fmt, cores=512, safe=safe), q, k, v)
    assert found.tolist() == [v.mean(axis=0).tolist()] * 3


@pytest.mark.parametrize("safe", [False, True])
def test_errors_stay_within_those_of_the_format(safe: bool) -> None:
    """Half a step for each rounding on the way of a weight (score, shift, exp, product), and of the result."""
    rng = np.random.default_rng(2)
    q, k, v = rng.normal(size=(16, 64)) / 8, rng.normal(size=(512, 64)), rng.normal(size=(512, 64))
    largest = np.abs(v).max()
    errors = {}
    for fmt in (FP16, FP32):
        found, counted = attend(blocks(fmt, cores=512, safe=safe), q, k, v)
        assert counted == Events(scores=16 * 512)
        errors[fmt.name] = np.abs(found - softmax(q, k, v, fmt)).max() / largest
        assert errors[fmt.name] < 10 * fmt.resolution
    assert 1000 * errors["fp32"] < errors["fp16"] < 1e-3


def test_a_wider_sum_in_qk_brings_scores_nearer() -> None:
    rng = np.random.default_rng(3)
    q, k, v = rng.normal(size=(8, 128)) / 11, rng.normal(size=(64, 128)), rng.normal(size=(64, 32))
    narrow, wide = (attend(blocks(cores=64, qk_sum=fmt), q, k, v)[0] for fmt in (FP16, FP32))
    exact = softmax(q, k, v, FP16)
    assert np.abs(wide - exact).mean() < 0.8 * np.abs(narrow - exact).mean()


def test_the_order_of_additions_shows_where_it_matters() -> None:
    """In FP16 sums: 2,048 + 1 rounds to 2,048, so that a chain loses ones that a tree adds up first."""
    v = [[2048.0], [1.0], [1.0], [1.0]]
    q, k = [[0.0]], [[0.0]] * 4
    found = {order: attend(blocks(cores=4, sum_fmt=FP16, order=order), q, k, v)[0] for order in ("chain", "tree")}
    assert found["chain"].tolist() == [[512.0]]
    assert found["tree"].tolist() == [[512.5]]  # (2048 + 1) + (1 + 1)


def test_groups_are_added_before_they_are_added_to_each_other() -> None:
    v = [[2048.0], [0.0], [1.0], [1.0]]
    q, k = [[0.0]], [[0.0]] * 4
    one, two = (attend(blocks(cores=4, group=g, sum_fmt=FP16, order="chain"), q, k, v)[0] for g in (4, 2))
    assert (one.tolist(), two.tolist()) == ([[512.0]], [[512.5]])


@given(seed=st.integers(0, 2**32), safe=st.booleans(), fmt=st.sampled_from([FP16, FP32]))
def test_columns_of_v_do_not_know_each_other(seed: int, safe: bool, fmt: Format) -> None:
    rng = np.random.default_rng(seed)
    q, k, v = rng.normal(size=(2, 4)), rng.normal(size=(9, 4)), rng.normal(size=(9, 6))
    order = rng.permutation(6)
    made = blocks(fmt, cores=9, group=4, safe=safe)
    same(attend(made, q, k, v[:, order])[0], attend(made, q, k, v)[0][:, order])


@given(seed=st.integers(0, 2**32), safe=st.booleans(), wrong=st.sampled_from([np.inf, -np.inf, np.nan]))
def test_keys_that_no_core_holds_do_not_matter(seed: int, safe: bool, wrong: float) -> None:
    """Key 0 is infinite or NaN and stands where idle cores look."""
    rng = np.random.default_rng(seed)
    q, k, v = rng.normal(size=(3, 4)), rng.normal(size=(6, 4)), rng.normal(size=(6, 2))
    keys = rng.integers(1, 6, size=(3, 5))
    keys[:, rng.integers(0, 5)] = IDLE
    made = blocks(cores=5, group=2, safe=safe)
    expected, counted = attend(made, q, k, v, keys)
    k[0] = v[0] = wrong
    assert attend(made, q, k, v, keys)[1] == counted
    same(attend(made, q, k, v, keys)[0], expected)


@given(seed=st.integers(0, 2**32), order=st.sampled_from(["tree", "chain"]), fmt=st.sampled_from([FP16, FP32]))
def test_two_passes_are_one_over_twice_the_cores(seed: int, order: str, fmt: Format) -> None:
    """What is carried is added as a second group is, where a pass fills exactly a group of the other's."""
    rng = np.random.default_rng(seed)
    q, k, v = rng.normal(size=(3, 4)), rng.normal(size=(8, 4)), rng.normal(size=(8, 2))
    first, second = np.tile(np.arange(4), (3, 1)), np.tile(np.arange(4, 8), (3, 1))
    once, events = attend(blocks(fmt, cores=8, group=4, order=order), q, k, v)
    twice, counted = attend(blocks(fmt, cores=4, group=4, order=order), q, k, v, first, second)
    same(twice, once)
    assert counted == events


def test_a_later_maximum_rescales_what_is_carried() -> None:
    """Scores 0 and 12 in two passes: the first pass' exp of 1 is worth exp(-12) after the second, in FP16's steps."""
    q, k, v = [[3.0]], [[0.0], [4.0]], [[1024.0], [0.0]]
    for passes in ([[[0]], [[1]]], [[[1]], [[0]]]):
        found, counted = attend(blocks(cores=1, safe=True), q, k, v, *passes)
        assert found[0, 0] == pytest.approx(1024 * np.exp(-12), rel=0.01)  # a subnormal FP16 has few bits
        assert counted == Events(scores=2)


def test_a_pass_without_keys_changes_nothing() -> None:
    q, k, v = [[3.0]], [[4.0], [1.0]], [[5.0], [7.0]]
    made = blocks(cores=2, safe=True)
    idle = [[IDLE, IDLE]]
    expected, _ = attend(made, q, k, v, [[0, 1]])
    for passes in ((idle, [[0, 1]]), ([[0, 1]], idle)):
        same(attend(made, q, k, v, *passes)[0], expected)


def test_blocks_must_fit_together() -> None:
    core, rows, z = AttentionCoreContract(), RowSumContract(), ZReduceContract()
    with pytest.raises(ContractError, match="z_reduce: cores must be 512 beside the other blocks, got 256"):
        RowBlocks(core=core, z_reduce=ZReduceContract(cores=256), row_sum=rows, divide_out=DivideOutContract())
    with pytest.raises(ContractError, match="divide_out: sum_fmt must be fp32 beside the other blocks, got fp16"):
        RowBlocks(core=core, z_reduce=z, row_sum=rows, divide_out=DivideOutContract(sum_fmt=FP16))
    with pytest.raises(ContractError, match="attention_core: softmax must be safe beside the other blocks, got plain"):
        RowBlocks(core=core, z_reduce=z, row_sum=rows, divide_out=DivideOutContract(), row_max=rows)
    core = AttentionCoreContract(softmax="safe")
    with pytest.raises(ContractError, match="row_max: operation must be maximum beside the other blocks, got sum"):
        RowBlocks(core=core, z_reduce=z, row_sum=rows, divide_out=DivideOutContract(), row_max=rows)

"""Rows through the cores by a plan: every kind of pattern, carried rows, some rows as all, plans that cannot be."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import MappingError
from hwsim.mapping.cores.plan import BEFORE, CorePass, CorePlan, Residencies
from hwsim.mapping.errors import PatternError
from hwsim.mapping.formats import FP16, FP32, Format
from hwsim.mapping.operators.relative_bias import RelativeBias
from hwsim.mapping.patterns import Full, Pattern, Strided, Window, parse_pattern
from hwsim.rtl.float_values import to_format
from hwsim.rtl.row_attention.events import Events
from hwsim.rtl.row_attention.golden import IDLE, RowAttention
from hwsim.verify.float64_attention import attention_rows, queries_with_keys
from hwsim.verify.row_attention.biases import PairBiases
from hwsim.verify.row_attention.through_cores import held_keys, through_cores
from tests.mapping.pattern_cases import case, plain
from tests.rtl.test_row_attention import blocks
from tests.verify.row_attention.plans import made_pass, plain_plan


def inputs(queries: int, keys: int, fmt: Format, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return tuple(to_format(rng.normal(size=shape), fmt) for shape in ((queries, 4), (keys, 4), (keys, 3)))


def unit(fmt: Format = FP32, *, cores: int, safe: bool = False, **given: Any) -> RowAttention:
    return RowAttention(blocks(fmt, cores=cores, safe=safe, **given))


def masked_softmax(pattern: Pattern, q: Any, k: Any, v: Any, scale: float) -> np.ndarray:
    """All rows by the mask, which is written from the definition of the pattern; rows without keys are 0."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    mask = pattern.mask(len(q), len(k))
    weights = np.where(mask, np.exp(scale * (q @ k.T)), 0)
    sums = weights.sum(axis=1, keepdims=True)
    return np.asarray(weights @ v / np.where(sums, sums, 1))


@settings(deadline=None)
@given(drawn=case(plain), cores=st.integers(1, 12), safe=st.booleans(), seed=st.none() | st.integers(0, 99))
def test_every_pattern_is_masked_softmax(
    drawn: tuple[Pattern, int, int], cores: int, safe: bool, seed: int | None
) -> None:
    pattern, n_q, n_k = drawn
    able = queries_with_keys(pattern, n_q, n_k)
    q, k, v = inputs(n_q, n_k, FP32)
    plan = plain_plan(pattern, n_q, n_k, cores, seed=seed)
    computed = through_cores(unit(cores=cores, safe=safe), plan, able, q, k, v, scale=0.5)
    exact = masked_softmax(pattern, q, k, v, 0.5)[able]
    np.testing.assert_allclose(computed.results_rh, exact, atol=2e-6)
    assert computed.events == Events(scores=plan.pairs)
    assert not computed.lost_r.any()
    wide = [x.astype(np.float64) for x in (q, k, v)]
    np.testing.assert_allclose(attention_rows(pattern, able, *wide, scale=0.5), exact, atol=1e-12)


SHIPPED = (
    "window(256, 255)",
    "window(256, 256) | memory_slots(1)",
    "block_local(64, 1, forward=1) | random_blocks(3, 64, seed=0) | global(64, last=64)",
    "window(64, 64)",
    "window(31, 31, dilation=3)",
    "segment(64) | cross_segment(64)",
    "window2d(24, 32, 8, shift=4)",
    "causal",
    "full",
)


@pytest.mark.parametrize("text", SHIPPED)
@pytest.mark.parametrize(("fmt", "bound"), [(FP16, 3e-3), (FP32, 1e-6)])
def test_patterns_of_models_are_as_near_as_their_format(text: str, fmt: Format, bound: float) -> None:
    pattern, n = parse_pattern(text), 768
    q, k, v = inputs(n, n, fmt)
    rows = [0, 1, 100, 383, 500, 766, 767]
    computed = through_cores(unit(fmt, cores=192), plain_plan(pattern, n, n, 192), rows, q, k, v, scale=0.5)
    exact = masked_softmax(pattern, q, k, v, 0.5)[rows]
    assert np.abs(computed.results_rh - exact).max() < bound * np.abs(v).max()
    assert computed.events.scores == sum(
        pattern.pairs(row + 1, n) - pattern.pairs(row, n) for row in (n - 1 - r for r in rows)
    )


@given(seed=st.integers(0, 99), safe=st.booleans(), fmt=st.sampled_from([FP16, FP32]))
def test_some_rows_are_computed_as_all_are(seed: int, safe: bool, fmt: Format) -> None:
    """In the order in which they are asked for, however the plan orders them."""
    rng, pattern = np.random.default_rng(seed), parse_pattern("window(3, 3) | global(2)")
    q, k, v = inputs(20, 24, fmt, seed)
    plan = plain_plan(pattern, 20, 24, 5, seed=seed)
    every = through_cores(unit(fmt, cores=5, group=2, safe=safe), plan, range(20), q, k, v, scale=0.5)
    chosen = rng.permutation(20)[: rng.integers(1, 20)].tolist()
    some = through_cores(unit(fmt, cores=5, group=2, safe=safe), plan, chosen, q, k, v, scale=0.5)
    assert some.results_rh.tolist() == every.results_rh[chosen].tolist()
    assert some.events.scores <= every.events.scores == pattern.pairs(20, 24)


def test_a_plan_decides_the_order_of_additions_and_nothing_else() -> None:
    """In FP16 sums 2,048 + 1 is 2,048: a key of 2,048 that comes last lets three ones add up first."""
    v = np.array([[1.0], [1.0], [1.0], [2045.0]], np.float16)
    q, k = np.zeros((1, 4), np.float16), np.zeros((4, 4), np.float16)
    made = unit(FP16, cores=4, sum_fmt=FP16, order="chain")
    last = plain_plan(Full(), 1, 4, 4)
    first = CorePlan(
        queries=1, keys=4, cores=4, order="reversed",
        passes=(made_pass([3], [(0, 3 - key, key) for key in range(4)], [False], [False]),),
    )  # fmt: skip
    assert [through_cores(made, plan, [0], q, k, v, scale=1.0).results_rh.item() for plan in (last, first)] == [
        512.0,
        512.0,
    ]
    v[3] = 2048
    assert [through_cores(made, plan, [0], q, k, v, scale=1.0).results_rh.item() for plan in (last, first)] == [
        513.0,
        512.0,
    ]


def test_cores_keep_keys_over_rows() -> None:
    """Round-robin over two cores, as the paper replaces them: key j in core j mod 2, for rows j and j + 1."""
    keys = np.arange(4)
    window = CorePass(
        rows=keys,
        residencies=Residencies(
            key=keys, core=keys % 2, first=keys, last=np.minimum(keys + 1, 3), loaded=np.maximum(keys - 1, BEFORE)
        ),
        carries_in=np.zeros(4, np.bool_),
        carries_out=np.zeros(4, np.bool_),
        kinds={"window": 2},
    )
    assert held_keys(window, np.arange(4), 2).tolist() == [[0, IDLE], [0, 1], [2, 1], [2, 3]]
    assert held_keys(window, np.array([2]), 2).tolist() == [[2, 1]]
    q, k, v = inputs(4, 4, FP32)
    plan = CorePlan(queries=4, keys=4, cores=2, order="rows", passes=(window,))
    found = through_cores(unit(cores=2), plan, range(4), q, k, v, scale=0.5)
    np.testing.assert_allclose(found.results_rh, masked_softmax(Window(left=1), q, k, v, 0.5), atol=1e-6)


def test_queries_of_another_sequence() -> None:
    q, k, v = inputs(6, 4, FP32)
    plan = plain_plan(Full(), 6, 4, 4)
    found = through_cores(unit(cores=4), plan, range(6), q, k, v, scale=0.5)
    np.testing.assert_allclose(found.results_rh, masked_softmax(Full(), q, k, v, 0.5), atol=1e-6)


@pytest.mark.parametrize("cores", [4, 16])
def test_biases_go_onto_the_scores_of_their_pairs(cores: int) -> None:
    """Swin's shifted windows of a grid of 8 x 8, in passes of all keys and of a part of them."""
    pattern, places = parse_pattern("window2d(8, 8, 4, shift=2)"), RelativeBias(window=4, columns=8)
    q, k, v = inputs(64, 64, FP32)
    table = to_format(np.random.default_rng(1).normal(size=places.entries), FP32)
    plan = plain_plan(pattern, 64, 64, cores, seed=1)
    biases = PairBiases(places=places, table=table)
    found = through_cores(unit(cores=cores), plan, range(64), q, k, v, scale=0.5, biases=biases)
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    weights = np.zeros((64, 64))
    for query, key in zip(*np.nonzero(pattern.mask(64, 64))):
        weights[query, key] = np.exp(0.5 * q[query] @ k[key] + table[places.entry(int(query), int(key))])
    exact = weights @ v / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.results_rh, exact, atol=2e-6)
    rows = attention_rows(pattern, range(64), q, k, v, scale=0.5, bias=biases.of_keys)
    np.testing.assert_allclose(rows, exact, atol=1e-12)


def test_rows_that_are_divided_by_infinity_are_lost() -> None:
    """In FP16 sums, of four exps of 22,026: the sum is infinite, the numerator 0, and so is the result."""
    q, k = np.full((1, 4), 10 / 4, np.float16), np.ones((4, 4), np.float16)
    v = np.zeros((4, 1), np.float16)
    plan = plain_plan(Full(), 1, 4, 4)
    lost = through_cores(unit(FP16, cores=4, sum_fmt=FP16), plan, [0], q, k, v, scale=1.0)
    assert (lost.results_rh.tolist(), lost.lost_r.tolist(), lost.events.infinite_sums) == ([[0.0]], [True], 1)
    kept = through_cores(unit(FP16, cores=4), plan, [0], q, k, v, scale=1.0)
    assert (kept.results_rh.tolist(), kept.lost_r.tolist()) == ([[0.0]], [False])


def test_plans_that_no_hardware_could_follow() -> None:
    q, k, v = inputs(2, 4, FP32)
    once = made_pass([2, 3], [(0, 0, 1), (1, 0, 2)], [False, False], [False, False])

    def message(*passes: CorePass, cores: int = 2) -> str:
        plan = CorePlan(queries=2, keys=4, cores=cores, order="rows", passes=passes)
        with pytest.raises(MappingError) as caught:
            through_cores(unit(cores=cores), plan, [0, 1], q, k, v, scale=0.5)
        return str(caught.value)

    twice = made_pass([2, 3], [(0, 0, 1), (0, 0, 2)], [False, False], [False, False])
    assert message(twice) == "a plan of attention on cores has a core that holds two keys for one row"
    assert message(once, once) == "a plan of attention on cores takes up query 0 wrongly"
    assert message(replace(once, carries_in=np.array([True, False]))) == (
        "a plan of attention on cores takes up query 0 wrongly"
    )
    assert message(replace(once, carries_out=np.array([False, True]))) == (
        "a plan of attention on cores never ends query 1"
    )


def test_a_query_without_keys_has_no_softmax() -> None:
    pattern, wide = parse_pattern("cross_segment(4)"), np.ones((8, 2))
    assert queries_with_keys(pattern, 8, 8) == [0, 4]
    assert attention_rows(Strided(stride=3), [], wide, wide, wide, scale=1.0).shape == (0, 2)
    with pytest.raises(
        PatternError, match=r"cross_segment\(4\): the query at 1 of 8 sees no key, so that it has no softmax"
    ):
        attention_rows(pattern, [1], wide, wide, wide, scale=1.0)

"""Closed forms of attention patterns against enumerated pairs: every kind, unions, intersections."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.mapping.patterns import After, Causal, Full, Pattern, Spans, Window
from hwsim.mapping.patterns.key_sets import clip, floor_sum, join, meet, pairs_up_to, spans_of_bits
from tests.mapping.pattern_cases import KINDS, Case, Drawn, case, keys, plain


def written_out(spans: Spans, n_k: int) -> list[bool]:
    row = [False] * n_k
    for first, last in spans:
        row[first:last] = [True] * (last - first)
    return row


def agrees(pattern: Pattern, n_q: int, n_k: int) -> NDArray[np.bool_]:
    """Compare every answer of a pattern with its mask, which follows the definition alone."""
    mask = pattern.mask(n_q, n_k)
    assert pattern.pairs(n_q, n_k) == mask.sum()
    assert pattern.union_keys(n_q, n_k) == mask.any(axis=0).sum()
    for query in range(n_q):
        spans = pattern.keys_of(n_k - n_q + query, n_k)
        assert all(before[1] < after[0] for before, after in pairwise(spans))
        assert written_out(spans, n_k) == mask[query].tolist()
    for row, bits in zip(mask, pattern.key_bits(range(n_k - n_q, n_k), n_k), strict=True):
        assert written_out(spans_of_bits(bits), n_k) == row.tolist()
    return mask


def up_to_query(n_q: int, n_k: int) -> NDArray[np.bool_]:
    return np.tri(n_q, n_k, n_k - n_q, dtype=np.bool_)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_and_its_intersection_with_causal_equal_brute_force(kind: str) -> None:
    @given(case(KINDS[kind]))
    @settings(max_examples=300)
    def check(drawn: Case) -> None:
        pattern, n_q, n_k = drawn
        mask = agrees(pattern, n_q, n_k)
        assert (agrees(pattern & Causal(), n_q, n_k) == mask & up_to_query(n_q, n_k)).all()
        if pattern.causal and kind != "memory_slots":
            assert not (mask & ~up_to_query(n_q, n_k)).any()

    check()


@given(keys.flatmap(lambda n_k: st.tuples(plain(n_k), plain(n_k), st.integers(0, n_k), st.just(n_k))), st.booleans())
@settings(max_examples=1000)
def test_unions_and_intersections_of_any_two_equal_brute_force(
    drawn: tuple[Pattern, Pattern, int, int], every_query: bool
) -> None:
    one, other, some, n_k = drawn
    n_q = n_k if every_query else some
    mask, further = one.mask(n_q, n_k), other.mask(n_q, n_k)
    assert (agrees(one | other, n_q, n_k) == mask | further).all()
    assert (agrees(one & other, n_q, n_k) == mask & further).all()
    both = (one | other).pairs(n_q, n_k) + (one & other).pairs(n_q, n_k)
    assert both == one.pairs(n_q, n_k) + other.pairs(n_q, n_k)  # inclusion and exclusion


def nested(n_k: int) -> Drawn:
    """Unions in intersections and the reverse, some of them after other tokens."""

    def grow(smaller: Callable[[int], Drawn]) -> Callable[[int], Drawn]:
        def grown(n: int) -> Drawn:
            pairs = st.tuples(smaller(n), smaller(n))
            choices = [pairs.map(lambda p: p[0] | p[1]), pairs.map(lambda p: p[0] & p[1]), smaller(n)]
            if n > 3:
                inner = st.integers(1, n - 2).flatmap(
                    lambda count: smaller(n - count).map(lambda p: After(count=count, pattern=p))
                )
                choices.append(inner)
            return st.one_of(choices)

        return grown

    return grow(grow(plain))(n_k)


@given(case(nested))
@settings(max_examples=800)
def test_nested_patterns_equal_brute_force(drawn: Case) -> None:
    pattern, n_q, n_k = drawn
    mask = agrees(pattern, n_q, n_k)
    assert (agrees(pattern & Causal(), n_q, n_k) == mask & up_to_query(n_q, n_k)).all()


@given(case(nested), st.integers(0, 40))
def test_what_a_query_sees_does_not_hang_on_the_step(drawn: Case, others: int) -> None:
    pattern, n_q, n_k = drawn
    more = min(n_k, n_q + others)
    assert (pattern.mask(more, n_k)[more - n_q :] == pattern.mask(n_q, n_k)).all()
    assert pattern.pairs(n_q, n_k) <= pattern.pairs(more, n_k)


sizes = st.integers(0, 24).flatmap(lambda n_k: st.tuples(st.integers(0, n_k), st.just(n_k)))


@given(size=sizes)
def test_a_wide_window_without_lookahead_is_causal(size: tuple[int, int]) -> None:
    assert Window(left=30).pairs(*size) == Causal().pairs(*size) == (Full() & Causal()).pairs(*size)


@given(pattern=st.sampled_from([Full(), Causal(), Window(left=3), Window(left=2, right=4)]), size=sizes)
def test_one_range_a_query_is_the_same_as_its_keys(pattern: Pattern, size: tuple[int, int]) -> None:
    n_q, n_k = size
    for query in range(n_k - n_q, n_k):
        assert (pattern.keys(query, n_k),) == pattern.keys_of(query, n_k)


# The parts of the closed forms.

ascending = st.builds(range, st.integers(0, 20), st.integers(0, 40), st.integers(1, 7))
some_spans = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=6)


@given(ascending, st.integers(0, 45), st.integers(0, 45))
def test_clipped_ranges_keep_what_lies_within(positions: range, low: int, high: int) -> None:
    assert list(clip(positions, low, high)) == [p for p in positions if low <= p < high]


@given(ascending, ascending)
@settings(max_examples=400)
def test_pairs_up_to_the_query_are_those_counted_singly(queries: range, seen: range) -> None:
    assert pairs_up_to(queries, seen) == sum(key <= query for query in queries for key in seen)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(1, 30))
def test_floor_sums_are_those_added_singly(count: int, slope: int, offset: int, divisor: int) -> None:
    assert floor_sum(count, slope, offset, divisor) == sum((slope * i + offset) // divisor for i in range(count))


@given(some_spans, some_spans)
def test_spans_are_sets(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    def members(spans: list[tuple[int, int]] | Spans) -> set[int]:
        return {key for first, last in spans for key in range(first, last)}

    assert members(join(one)) == members(one)
    assert members(meet(join(one), join(other))) == members(one) & members(other)
    assert join([(3, 5), (0, 2), (5, 6), (4, 4)]) == ((0, 2), (3, 6))

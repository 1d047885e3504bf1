"""Closed forms of attention patterns against the pairs written out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.patterns import Causal, Full, Pattern, Window

sizes = st.integers(0, 24).flatmap(lambda n_k: st.tuples(st.integers(0, n_k), st.just(n_k)))
patterns = st.one_of(
    st.just(Full()), st.just(Causal()), st.builds(Window, left=st.integers(0, 30), right=st.integers(0, 30))
)


@given(pattern=patterns, size=sizes)
def test_pairs_and_union_equal_brute_force(pattern: Pattern, size: tuple[int, int]) -> None:
    mask = pattern.mask(*size)
    assert pattern.pairs(*size) == mask.sum()
    assert pattern.union_keys(*size) == mask.any(axis=0).sum()


@given(size=sizes)
def test_a_wide_window_without_lookahead_is_causal(size: tuple[int, int]) -> None:
    assert Window(left=30).pairs(*size) == Causal().pairs(*size)


def test_known_counts() -> None:
    assert Causal().pairs(1024, 1024) == 1024 * 1025 // 2
    assert Causal().pairs(1, 77) == 77
    assert Window(left=2, right=1).pairs(5, 5) == 16  # 2 + 3 + 4 + 4 + 3


def test_queries_may_outnumber_the_keys_of_another_sequence() -> None:
    assert (Full().pairs(5, 3), Full().union_keys(5, 3), int(Full().mask(5, 3).sum())) == (15, 3, 15)
    with pytest.raises(ValueError, match="5 queries need at least as many positions, got 3"):
        Causal().pairs(5, 3)


def test_only_patterns_without_lookahead_are_causal() -> None:
    assert [p.causal for p in (Full(), Causal(), Window(left=4), Window(left=4, right=1))] == [False, True, True, False]


def test_a_negative_window_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        Window(left=-1)

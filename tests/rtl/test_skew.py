"""The skewed order of attention: each query meets each key once, and at most one query is fetched per row."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.rtl.skew import row_count, skewed_rows

TOKENS, SLOTS = st.integers(1, 40), st.integers(1, 9)


@given(TOKENS, SLOTS)
def test_each_query_meets_each_key_once(tokens: int, slots: int) -> None:
    met = Counter((query, row.key) for row in skewed_rows(tokens, slots) for query in row.queries if query is not None)
    assert met == {(query, key): 1 for query in range(tokens) for key in range(tokens)}


@given(TOKENS, SLOTS)
def test_queries_come_and_leave_in_order_and_stay_as_long_as_there_are_keys(tokens: int, slots: int) -> None:
    rows = list(skewed_rows(tokens, slots))
    came = [(n, row.queries[row.refill]) for n, row in enumerate(rows) if row.refill is not None]
    left = [(n, row.queries[row.leaves]) for n, row in enumerate(rows) if row.leaves is not None]
    assert [query for _, query in came] == [query for _, query in left] == list(range(tokens))
    assert [last - first + 1 for (first, _), (last, _) in zip(came, left)] == [tokens] * tokens
    assert len(rows) == row_count(tokens, slots) == left[-1][0] + 1


def test_five_tokens_on_three_slots() -> None:
    assert [row.queries for row in skewed_rows(5, 3)] == [
        (0, None, None),
        (0, 1, None),
        (0, 1, 2),
        (0, 1, 2),
        (0, 1, 2),
        (3, 1, 2),
        (3, 4, 2),
        (3, 4, None),
        (3, 4, None),
        (3, 4, None),
        (None, 4, None),
    ]
    assert [row.leaves for row in skewed_rows(5, 3)] == [None, None, None, None, 0, 1, 2, None, None, 0, 1]


@pytest.mark.parametrize(
    ("tokens", "slots", "rows"), [(129, 4, 4257), (1, 4, 1), (2, 4, 3), (4, 4, 7), (5, 4, 10), (0, 4, 0)]
)
def test_rows(tokens: int, slots: int, rows: int) -> None:
    assert row_count(tokens, slots) == len(list(skewed_rows(tokens, slots))) == rows

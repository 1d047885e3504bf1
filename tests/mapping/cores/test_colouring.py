"""Cores for runs of rows: few, and with a bank to load that nobody reads."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.mapping.cores.colouring import colour, first_free, most_at_once, ring_size

Ints = NDArray[np.int64]
FREE = 4  # rows after which a bank may be loaded, with SV two stages after LOAD


@st.composite
def intervals(draw: st.DrawFn, shortest: int = 1) -> tuple[Ints, Ints]:
    """First and last rows of runs, in the order of the first."""
    sizes = st.integers(shortest, shortest + 12)
    found = draw(st.lists(st.tuples(st.integers(0, 40), sizes), min_size=1, max_size=60))
    first, size = np.array(sorted(found), dtype=np.int64).T
    return first, first + size - 1


def fits(core: Ints, first: Ints, last: Ints) -> None:
    for number in set(core.tolist()):
        runs = [(first[i], last[i]) for i in np.flatnonzero(core == number)]
        assert all(one[1] < other[0] for one, other in pairwise(runs))
        assert all(one[1] + FREE <= third[0] for one, third in zip(runs, runs[2:]))


def at_once(first: Ints, last: Ints) -> int:
    return max(int(((first <= row) & (row <= last)).sum()) for row in range(int(last.max()) + 1))


@given(intervals())
def test_as_many_cores_as_if_every_key_stayed_for_three_rows(runs: tuple[Ints, Ints]) -> None:
    first, last = runs
    for core in (
        colour(first, last, FREE),
        first_free(first, last, FREE),
        np.arange(len(first)) % ring_size(first, last, FREE),
    ):
        fits(core, first, last)
    assert most_at_once(first, last) == at_once(first, last)
    cores = int(colour(first, last, FREE).max()) + 1
    assert at_once(first, last) <= cores <= at_once(first, np.maximum(last, first + 2))


@given(intervals(shortest=3))
def test_no_core_more_than_keys_at_once_where_all_stay_for_three_rows(runs: tuple[Ints, Ints]) -> None:
    first, last = runs
    assert colour(first, last, FREE).max() + 1 == at_once(first, last)


def test_a_key_that_stays_for_one_row_takes_two_cores_in_turn() -> None:
    """SV may still read the bank of row 0 when LOAD works for row 2 or 3, so row 2 gets another core."""
    rows = np.arange(8)
    assert colour(rows, rows, FREE).tolist() == [0, 1, 0, 1, 0, 1, 0, 1]


def test_keys_that_leave_out_of_turn_free_their_cores_at_once() -> None:
    """A ring would need a core a key; the one that stays leaves two others to take turns."""
    first, last = np.array([0, 0, 4, 8, 12]), np.array([15, 3, 7, 11, 15])
    assert ring_size(first, last, FREE) == 5
    assert colour(first, last, FREE).tolist() == [0, 1, 1, 1, 1]


def test_nothing_needs_no_core() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert (most_at_once(nothing, nothing), ring_size(nothing, nothing, FREE)) == (0, 0)
    assert len(colour(nothing, nothing, FREE)) == 0

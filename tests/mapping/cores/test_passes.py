"""How many passes runs of rows take on so many cores."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.mapping.cores.passes import PlacedRuns, place_runs
from hwsim.mapping.cores.runs import Runs
from hwsim.mapping.cores.target import CoreTarget
from tests.mapping.cores.test_colouring import at_once, intervals

Ints = NDArray[np.int64]


def placed(runs: tuple[Ints, Ints], parts: Ints, cores: int) -> list[PlacedRuns]:
    first, last = runs
    found = Runs(part=parts, key=np.arange(len(first)), first=first, last=last)
    return list(place_runs(found, np.arange(last.max() + 1), CoreTarget(cores=cores, loads=1), ["one", "other"]))


@given(intervals(shortest=3), st.integers(1, 12))
def test_a_part_takes_as_many_passes_as_its_keys_at_once_fill(runs: tuple[Ints, Ints], cores: int) -> None:
    """So more cores never take more passes. Keys that stay for a row or two may need a core more (test_colouring)."""
    one_part = np.zeros(len(runs[0]), dtype=np.int64)
    assert len(placed(runs, one_part, cores)) == -(-at_once(*runs) // cores)


@given(intervals(shortest=3), st.integers(1, 12), st.randoms())
def test_parts_take_no_more_passes_than_their_cores_together_fill(
    runs: tuple[Ints, Ints], cores: int, random: np.random.RandomState
) -> None:
    first, last = runs
    parts = np.array([random.randint(0, 1) for _ in first], dtype=np.int64)
    needed = sum(at_once(first[parts == part], last[parts == part]) for part in set(parts.tolist()))
    passes = placed(runs, parts, cores)
    assert -(-at_once(first, last) // cores) <= len(passes) <= -(-needed // cores)
    assert sorted(key for each in passes for key in each.runs.key.tolist()) == list(range(len(first)))
    assert all(each.core.max() < cores for each in passes)


def test_a_later_pass_has_only_the_rows_that_still_have_work() -> None:
    """Two keys at once in rows 2 to 5, on one core: the second of them waits, with four rows."""
    first, last = np.array([0, 2]), np.array([7, 5])
    one, other = placed((first, last), np.array([0, 1]), cores=1)
    assert (one.rows.tolist(), one.runs.key.tolist(), dict(one.kinds)) == ([0, 1, 2, 3, 4, 5, 6, 7], [0], {"one": 1})
    assert (other.rows.tolist(), other.runs.key.tolist(), dict(other.kinds)) == ([2, 3, 4, 5], [1], {"other": 1})
    assert (other.runs.first.tolist(), other.runs.last.tolist()) == ([0], [3])

"""When keys are loaded: never into a bank that is read, and no more in a row than there must be."""

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.mapping.cores.colouring import colour
from hwsim.mapping.cores.loads import schedule_loads
from hwsim.mapping.cores.plan import BEFORE
from hwsim.mapping.cores.target import CoreTarget
from tests.mapping.cores.test_colouring import FREE, intervals

Ints = NDArray[np.int64]


def windows(core: Ints, first: Ints, last: Ints) -> tuple[list[tuple[int, int]], list[bool]]:
    """For each key the rows in which it may be loaded, and whether it is the first of its core."""
    rows, leading = [], []
    for i in range(len(core)):
        earlier = [j for j in range(i) if core[j] == core[i]]
        leading.append(not earlier)
        rows.append((int(last[earlier[-2]]) + FREE if len(earlier) > 1 else 0, int(first[i])))
    return rows, leading


def most_in_time(rows: list[tuple[int, int]], cap: int) -> int:
    """How many of these keys can be loaded with `cap` a row: a maximum flow from keys to rows."""
    network = nx.DiGraph()
    for key, (release, deadline) in enumerate(rows):
        network.add_edge("keys", ("key", key), capacity=1)
        for row in range(release, deadline + 1):
            network.add_edge(("key", key), ("row", row), capacity=1)
            network.add_edge(("row", row), "rows", capacity=cap)
    return int(nx.maximum_flow_value(network, "keys", "rows")) if rows else 0


@given(intervals(), st.integers(1, 5))
@settings(deadline=None, max_examples=150)
def test_no_more_loads_in_a_row_than_there_must_be(runs: tuple[Ints, Ints], loads: int) -> None:
    first, last = runs
    core = colour(first, last, FREE)
    loaded = schedule_loads(core, first, last, CoreTarget(cores=64, loads=loads))
    rows, leading = windows(core, first, last)
    for row, (release, deadline), is_first in zip(loaded, rows, leading):
        assert release <= row <= deadline or (is_first and row == BEFORE)
    counts = np.bincount(loaded[loaded != BEFORE], minlength=1)

    inside = [window for window, is_first, begin in zip(rows, leading, first) if not (is_first and begin == 0)]
    enough = [cap for cap in range(1, loads + 1) if most_in_time(inside, cap) == len(inside)]
    if enough:  # the smallest number that suffices, and only keys of the first row before it
        assert counts.max() <= enough[0]
        assert (first[loaded == BEFORE] == 0).all()
    else:  # as few too many as there must be
        waiting = [window for window, is_first in zip(rows, leading) if not is_first]
        assert np.maximum(0, counts - loads).sum() == len(waiting) - most_in_time(waiting, loads)


@given(intervals(), st.integers(1, 5))
def test_a_core_gets_its_keys_in_the_order_in_which_it_needs_them(runs: tuple[Ints, Ints], loads: int) -> None:
    first, last = runs
    core = colour(first, last, FREE)
    loaded = schedule_loads(core, first, last, CoreTarget(cores=64, loads=loads))
    for number in set(core.tolist()):
        assert (np.diff(loaded[core == number]) >= 0).all()


def test_blocks_are_loaded_over_the_rows_of_the_block_before() -> None:
    """Two keys for eight rows each, on a core each: the bank is free from the fourth row after the block before."""
    first, last = np.repeat([0, 8, 16, 24], 2), np.repeat([7, 15, 23, 31], 2)
    assert schedule_loads(np.tile([0, 1], 4), first, last, CoreTarget(cores=2, loads=1)).tolist() == [
        -1,
        0,
        7,
        8,
        15,
        16,
        23,
        24,
    ]

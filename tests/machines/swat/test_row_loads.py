"""What the rows of a head load, and in which bursts."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.machines.swat.design import Design
from hwsim.machines.swat.rows.bursts import RowsInMemory, bursts_of
from hwsim.machines.swat.rows.head import make_head, spread_loads
from tests.machines.swat.plans import loads_plan, random_plan, spec_of

MEMORY = RowsInMemory(row_bytes=128, block_bytes=512)


def test_rows_beside_each_other_share_a_burst_within_a_block() -> None:
    found = bursts_of([1, 2, 3, 4, 5, 9], MEMORY)
    assert [found.kinds[kind] for kind in found.kind] == [(128, 384), (0, 256), (128, 128)]
    assert (found.ends.tolist(), found.burst_of.tolist()) == ([3, 5, 6], [0, 0, 0, 1, 1, 2])


def test_a_buffer_puts_interleaved_stretches_into_order() -> None:
    rows = [0, 100, 1, 101, 2, 102]
    assert bursts_of(rows, MEMORY).burst_of.tolist() == [0, 1, 2, 3, 4, 5]
    assert bursts_of(rows, MEMORY, ahead=8).burst_of.tolist() == [0, 1, 0, 1, 0, 1]
    assert bursts_of(rows, MEMORY, ahead=4).burst_of.tolist() == [0, 1, 0, 1, 2, 3]


@given(st.lists(st.integers(0, 40), max_size=80), st.integers(1, 20))
def test_bursts_bring_each_row_once(rows: list[int], ahead: int) -> None:
    """A burst is a stretch of one block, comes in the order of its first row, and gathers rows from nearby alone."""
    found = bursts_of(rows, MEMORY, ahead)
    places = [np.flatnonzero(found.burst_of == burst).tolist() for burst in range(len(found.kind))]
    for burst, mine in enumerate(places):
        offset, size = found.kinds[found.kind[burst]]
        first = rows[mine[0]]
        assert [rows[place] for place in mine] == list(range(first, first + len(mine)))
        assert (offset, size) == (first % 4 * 128, len(mine) * 128)
        assert offset + size <= 512
        assert mine[-1] - mine[0] < max(ahead, MEMORY.per_block)
    assert [mine[0] for mine in places] == sorted(mine[0] for mine in places)
    assert found.ends.tolist() == np.cumsum([len(mine) for mine in places]).tolist()


@given(st.randoms(use_true_random=False), st.sampled_from(("hidden", "counted")), st.booleans())
def test_each_pass_has_its_keys_when_it_begins(random: Random, prologue: str, following: bool) -> None:
    """Loads up to each pass are those of all earlier ones and its own that come before, whatever is loaded ahead."""
    design = Design(spec=spec_of(hbm={"burst_bytes": 512}), head_dim=64)
    plan = random_plan(random, most_rows=20, most_passes=3, most_loads=4)
    head = make_head(plan, design.layout, prologue=prologue, free_loads=4, following=following)  # type: ignore[arg-type]
    at_first = plan.passes[0].prologue if prologue == "hidden" else 0
    loaded, needed = at_first, 0
    for number, each in enumerate(plan.passes):
        loaded += int(head.before[number])
        assert loaded >= needed + each.prologue
        needed += len(each.residencies.key)
        begin, end = head.first[number : number + 2]
        loaded += int(head.units[begin:end].sum())
        assert loaded >= needed
        assert (head.units[begin:end] >= each.loads).all()
    loaded += int(head.before[-1])
    assert loaded == at_first + len(head.keys.burst_of) == plan.loads + (at_first if following else 0)


def test_what_the_next_pass_needs_comes_late_where_banks_are_free() -> None:
    """Two cores, each with one key in row 0: their other banks are free, and row 3 loads both keys that come next."""
    plan = loads_plan(4, [(range(4), [[0, 1], [], [], []], []), (range(4), [[], [], [], []], [2, 3])], cores=2)
    layout = Design(spec=spec_of(), head_dim=64).layout
    head = make_head(plan, layout, prologue="hidden", free_loads=6, following=False)
    assert (head.units.tolist(), head.before.tolist()) == ([2, 0, 0, 2, 0, 0, 0, 0], [0, 0, 0])
    head = make_head(plan, layout, prologue="hidden", free_loads=1, following=False)
    assert (head.units.tolist(), head.before.tolist()) == ([2, 0, 1, 1, 0, 0, 0, 0], [0, 0, 0])
    head = make_head(plan, layout, prologue="counted", free_loads=6, following=True)
    assert (head.units.tolist(), head.before.tolist()) == ([2, 0, 0, 0, 0, 0, 0, 0], [0, 2, 0])


def test_where_no_bank_is_free_it_comes_between_the_passes() -> None:
    """One core with a key for each row: both banks are in use to the end. Heads do the same among themselves."""
    every = [[0], [1], [2], [3]]
    plan = loads_plan(4, [(range(4), every, []), (range(4), every, [5])], cores=1)
    layout = Design(spec=spec_of(), head_dim=64).layout
    head = make_head(plan, layout, prologue="hidden", free_loads=6, following=True)
    assert (head.units.tolist(), head.before.tolist()) == ([1, 1, 1, 1, 1, 1, 1, 1], [0, 1, 0])
    twice = loads_plan(4, [(range(4), every, [5])], cores=1)
    for following, after in ((True, 1), (False, 0)):
        head = make_head(twice, layout, prologue="hidden", free_loads=6, following=following)
        assert (head.units.tolist(), head.before.tolist()) == ([1, 1, 1, 1], [0, after])


def test_a_table_comes_with_the_first_keys_of_a_head() -> None:
    """Rows 4 to 6 behind four keys: at the end of the head before, two a row, or before its own first row."""
    plan = loads_plan(4, [(range(4), [[], [], [], []], [0])])
    layout = Design(spec=spec_of(), head_dim=64).layout
    head = make_head(plan, layout, prologue="hidden", free_loads=2, following=True, table_rows=3)
    assert (head.units.tolist(), head.before.tolist()) == ([0, 0, 2, 2], [0, 0])
    head = make_head(plan, layout, prologue="hidden", free_loads=2, following=False, table_rows=3)
    assert (head.units.tolist(), head.before.tolist()) == ([0, 0, 0, 0], [0, 0])
    head = make_head(plan, layout, prologue="counted", free_loads=2, following=True, table_rows=3)
    assert (head.units.tolist(), head.before.tolist()) == ([0, 0, 0, 0], [4, 0])


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.integers(0, 40), st.integers(1, 6))
def test_further_loads_come_late_and_lift_rows_no_higher_than_they_must(own: list[int], more: int, free: int) -> None:
    limit = next(limit for limit in range(free, 100) if sum(max(0, limit - loads) for loads in own) >= more)
    expected, left = [], more
    for loads in reversed(own):
        expected.append(min(left, max(0, limit - loads)))
        left -= expected[-1]
    assert spread_loads(np.array(own), more, free).tolist() == expected[::-1]

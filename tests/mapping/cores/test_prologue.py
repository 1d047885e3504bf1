"""What a pass needs before its first row, in the rows of the pass before."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.mapping.cores.compile import compile_pattern
from hwsim.mapping.cores.cost import plan_cost
from hwsim.mapping.cores.plan import BEFORE, CorePass
from hwsim.mapping.cores.prologue import AFTERWARDS, hide_prologue
from hwsim.mapping.cores.target import CoreTarget
from hwsim.mapping.patterns import Causal, Full, Pattern, Window
from tests.mapping.cores.test_colouring import FREE
from tests.mapping.pattern_cases import Case, case, plain


def hidden(pattern: Pattern, tokens: int, cores: int, loads: int) -> list[list[int]]:
    """For each pass where the keys of the next one are loaded; the first pass of the next head follows the last."""
    passes = compile_pattern(pattern, tokens, tokens, cores=cores, loads=loads).passes
    return [
        hide_prologue(one, other, CoreTarget(cores=cores, loads=loads)).tolist()
        for one, other in zip(passes, passes[1:] + passes[:1])
    ]


def test_pinned_keys_of_the_next_pass_come_as_late_as_can_be() -> None:
    """Eight rows, four keys a pass: one is loaded in row 0, three before it, in the last rows of the pass before."""
    assert hidden(Full(), 8, cores=4, loads=1) == [[5, 6, 7], [5, 6, 7]]
    assert hidden(Full(), 8, cores=4, loads=2) == [[6, 7, 7], [6, 7, 7]]


def test_few_rows_load_more_than_they_can_for_nothing() -> None:
    plan = compile_pattern(Full(), 2, 8, cores=4, loads=1)
    assert hide_prologue(*plan.passes, CoreTarget(cores=4, loads=1)).tolist() == [
        0,
        1,
        1,
    ]  # beside a key of its own in row 0


def test_a_window_on_both_sides_has_free_banks_at_its_end() -> None:
    """The last rows of a head bring no keys, so the first keys of the next one find room there."""
    assert hidden(Window(left=4, right=3), 32, cores=8, loads=1) == [[29, 30, 31]]


def test_a_causal_pattern_needs_nothing_before() -> None:
    assert hidden(Window(left=3), 32, cores=4, loads=1) == [[]]
    assert hidden(Causal(), 32, cores=16, loads=1) == [[], []]


def test_a_bank_that_is_read_until_the_end_is_loaded_afterwards() -> None:
    """Each row sees one key: a core's last but one is read two rows before the end."""
    plan = compile_pattern(Window(left=0), 4, 4, cores=2, loads=1)
    (one,) = plan.passes
    assert one.residencies.core.tolist() == [0, 1, 0, 1]
    pinned = compile_pattern(Full(), 2, 2, cores=2, loads=1).passes[0]
    assert pinned.residencies.loaded.tolist() == [BEFORE, 0]
    assert hide_prologue(one, pinned, CoreTarget(cores=2, loads=1)).tolist() == [AFTERWARDS]


@given(case(plain), st.sampled_from([2, 5, 16]), st.integers(1, 4))
@settings(deadline=None)
def test_rows_load_as_few_more_as_all_keys_need(drawn: Case, cores: int, loads: int) -> None:
    passes = compile_pattern(*drawn, cores=cores, loads=loads).passes
    for one, other in pairwise(passes):
        rows = hide_prologue(one, other, CoreTarget(cores=cores, loads=loads))
        waiting = [free for free in bank_free(one, other) if free < len(one.rows)]
        assert np.count_nonzero(rows != AFTERWARDS) == len(waiting)
        ahead = np.bincount(rows[rows != AFTERWARDS], minlength=len(one.rows))
        most = int((one.loads + ahead)[ahead > 0].max(initial=0))
        if most > loads:  # with one less there is no room from some row on for the keys that must come from there on
            room = np.maximum(0, most - 1 - one.loads)
            assert any(sum(free >= row for free in waiting) > room[row:].sum() for row in range(len(one.rows)))


def bank_free(one: CorePass, other: CorePass) -> list[int]:
    """For each core that `other` needs at once the row from which `one` does not read the bank that comes next."""
    found = []
    for core in other.residencies.core[other.residencies.loaded == BEFORE]:
        mine = np.flatnonzero(one.residencies.core == core)
        come = int(one.residencies.loaded[mine[-1]]) if len(mine) else 0
        read = int(one.residencies.last[mine[-2]]) + FREE if len(mine) > 1 else 0
        found.append(max(0, come, read))
    return found


def test_cost_is_rows_and_drains() -> None:
    """Sixteen rows, and five intervals in which the pipeline runs empty; loads that take longer add to it."""
    passes = compile_pattern(Window(left=2, right=1), 16, 16, cores=4, loads=2).passes
    assert plan_cost(passes, CoreTarget(cores=4, loads=2)) == (21, 16, 1)
    slow = compile_pattern(Full(), 2, 8, cores=4, loads=1).passes
    assert plan_cost(slow, CoreTarget(cores=4, loads=1)) == (2 * (4 + 5), 8, 2)

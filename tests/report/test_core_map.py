"""The map of keys in cores: few enough bars for a page, and all that the cores that are drawn hold."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hwsim.report.core_map import MOST_CORES, MOST_HELD, Held, core_map


def window(rows: int, cores: int, pinned: int = 0) -> list[Held]:
    """A window whose key j is in core j mod `cores`, behind cores that hold a key for all rows."""
    held = [Held(core=i, key=i, kind="global", first=0, last=rows - 1, loaded=None) for i in range(pinned)]
    for key in range(pinned, rows):
        core = pinned + (key - pinned) % cores
        held.append(
            Held(core=core, key=key, kind="window", first=key, last=min(key + cores, rows) - 1, loaded=key or None)
        )
    return held


def test_a_small_map_is_whole() -> None:
    held = window(rows=6, cores=2)
    found = core_map("window", held, 6)
    assert (found.shown_cores, found.shown_rows, found.cores) == ([0, 1], 6, 2)
    assert [(each.core, each.key, each.first, each.last) for each in found.held] == [
        (0, 0, 0, 1), (0, 2, 2, 3), (0, 4, 4, 5), (1, 1, 1, 2), (1, 3, 3, 4), (1, 5, 5, 5),
    ]  # fmt: skip


def test_a_single_core_of_a_kind_is_drawn_among_hundreds() -> None:
    found = core_map("window and a global key", window(rows=4096, cores=511, pinned=1), 4096)
    assert found.held[0].kind == "global"
    assert len(found.shown_cores) == 1 + MOST_CORES
    assert found.shown_rows == 4096


@given(st.integers(1, 600), st.integers(1, 80), st.integers(0, 5))
def test_it_holds_all_that_its_cores_hold_up_to_the_last_row_drawn(rows: int, cores: int, pinned: int) -> None:
    held: Sequence[Held] = window(rows, cores, min(pinned, rows))
    found = core_map("", held, rows)
    assert len(found.held) <= MOST_HELD
    assert {each.kind for each in found.held} == {each.kind for each in held}
    assert len(found.shown_cores) <= MOST_CORES + 2
    mine = [each for each in held if each.core in found.shown_cores and each.first < found.shown_rows]
    assert set(found.held) == set(mine)
    assert found.shown_rows >= 1

"""Which kind of pattern each core serves."""

from collections import Counter

import pytest

from hwsim.mapping.cores.compile import compile_pattern
from hwsim.mapping.cores.kinds import core_kinds
from hwsim.mapping.patterns import parse_pattern


@pytest.mark.parametrize(
    "text",
    [
        "window(4, 4)",
        "window(4, 4) | memory_slots(2)",
        "block_local(4, 1, forward=1) | random_blocks(2, 4, seed=1) | global(4, last=4)",
        "window(3, 2) | global(positions=(5, 9))",
        "full",
    ],
)
@pytest.mark.parametrize("cores", [8, 24, 64])
def test_cores_of_each_kind_are_as_many_as_the_plan_counts(text: str, cores: int) -> None:
    pattern = parse_pattern(text)
    for each in compile_pattern(pattern, 48, 48, cores=cores, loads=4).passes:
        found = core_kinds(each, pattern, 48)
        assert Counter(found.values()) == Counter(each.kinds)
        assert set(found) == set(each.residencies.core.tolist())


def test_a_global_key_is_in_a_core_of_its_own() -> None:
    pattern = parse_pattern("window(2, 2) | memory_slots(1)")
    (each,) = compile_pattern(pattern, 12, 12, cores=8, loads=4).passes
    assert core_kinds(each, pattern, 12) == {
        0: "global",
        1: "window",
        2: "window",
        3: "window",
        4: "window",
        5: "window",
    }

"""The time base: integer ticks that all clocks divide."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.engine.clock import TimeBase, cycles_of_ns
from hwsim.errors import MachineError


def test_two_clocks_share_their_least_common_multiple() -> None:
    base = TimeBase.of({"dram": 2_000_000_000, "asic": 300_000_000})
    assert base.ticks_per_second == 6_000_000_000
    assert (base.clocks["dram"].period_ticks, base.clocks["asic"].period_ticks) == (3, 20)


def test_work_begins_on_an_edge() -> None:
    clock = TimeBase.of({"a": 1, "b": 10}).clocks["a"]
    assert [clock.edge(tick) for tick in (0, 1, 10, 11)] == [0, 1, 1, 2]
    assert [clock.wait(tick) for tick in (0, 1, 10, 11)] == [0, 9, 0, 9]


def test_nanoseconds_round_up() -> None:
    assert [cycles_of_ns(ns, 2_000_000_000) for ns in (0, 0.5, 0.6, 12)] == [0, 1, 2, 24]
    assert cycles_of_ns(7.5, Fraction(3_200_000_000, 3)) == 8


def test_clocks_without_a_sensible_common_multiple_are_refused() -> None:
    with pytest.raises(MachineError, match="have no common multiple below 1e"):
        TimeBase.of({"a": 999_999_937, "b": 999_999_893})
    with pytest.raises(MachineError, match="clock a: must be positive"):
        TimeBase.of({"a": 0})


@given(st.lists(st.integers(1, 100), min_size=1, max_size=3))
def test_every_clock_divides_the_tick(freqs: list[int]) -> None:
    base = TimeBase.of({str(i): freq * 1_000_000 for i, freq in enumerate(freqs)})
    assert all(c.freq_hz * c.period_ticks == base.ticks_per_second for c in base.clocks.values())

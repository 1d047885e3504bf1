"""Refresh of GDDR6-AiM: both players, the checker, and what it costs."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.aim.reference import ReferenceAim
from hwsim.aim.refresh import load_aim
from hwsim.dram.checker import first_violation
from hwsim.dram.standard import Standard
from tests.aim.strategies import programs
from tests.aim.test_player import logs_of

ALL_BANK = load_aim("all_bank")
PER_BANK = load_aim("per_bank")
# A request that has begun is not interrupted, and before it others of its kind may wait: cycles by which a refresh may
# come late.
LATE = 400


def often(standard: Standard, interval: int) -> Standard:
    """The standard with more refreshes than it has, so that short programs meet many."""
    assert standard.refresh
    return replace(standard, refresh=replace(standard.refresh, interval=interval))


@given(
    data=st.data(),
    channels=st.integers(1, 3),
    queue_depth=st.sampled_from([1, 2, 5, 32]),
    standard=st.sampled_from([ALL_BANK, PER_BANK, often(ALL_BANK, 401), often(ALL_BANK, 700), often(PER_BANK, 2501)]),
)
@settings(max_examples=100, deadline=None)
def test_the_players_agree_with_refresh(
    data: st.DataObject, channels: int, queue_depth: int, standard: Standard
) -> None:
    program = data.draw(programs(channels))
    slow = ReferenceAim(standard, channels, queue_depth=queue_depth)
    slow.play(program)
    fast, logs = logs_of(program, channels, queue_depth, standard)
    assert fast.cycle == slow.cycle
    assert logs == [channel.log for channel in slow.channels]
    assert [(r.busy_cycles, r.open_cycles) for r in fast.results()] == [
        (c.busy_cycles, c.open_cycles) for c in slow.channels
    ]
    for log in logs:
        assert first_violation(log, standard, check_modes=True, max_refresh_delay=LATE) is None

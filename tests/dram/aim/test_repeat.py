"""The player that remembers programs, against the one that plays everything."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.aim.isa import Instruction, encode
from hwsim.dram.aim.load import load_aim
from hwsim.dram.aim.player import AimPlayer
from hwsim.dram.aim.refresh import RefreshMode
from hwsim.dram.aim.repeat import RepeatingPlayer
from tests.dram.aim.strategies import KINDS, instructions

SYNC = Instruction(operation="SYNC")
AIM = load_aim()


@st.composite
def runs(draw: st.DrawFn, channels: int) -> list[tuple[int, int]]:
    """Which of three programs is played with which first row."""
    return draw(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 3, 100])), min_size=1, max_size=12))


REFRESHES: list[tuple[RefreshMode, int]] = [
    ("off", 0), ("all_bank", 0), ("all_bank", 3), ("per_bank", 0), ("per_bank", 1), ("per_bank", 7),
]  # fmt: skip


@pytest.mark.parametrize(("refresh", "postponed"), REFRESHES)
@given(data=st.data(), channels=st.integers(1, 3), remember=st.sampled_from([1, 2, 100]))
@settings(max_examples=60)
def test_what_is_remembered_is_what_would_be_played(
    refresh: RefreshMode, postponed: int, data: st.DataObject, channels: int, remember: int
) -> None:
    standard = load_aim(refresh, postponed=postponed)
    several = st.lists(instructions(KINDS, channels), max_size=12)
    programs = [[data.draw(several), [*data.draw(several), SYNC]] for _ in range(3)]
    player = AimPlayer(standard, channels)
    repeating = RepeatingPlayer(standard, channels, remember=remember)
    for number, base in data.draw(runs(channels)):
        ends = []
        for part in programs[number]:
            moved = encode(part)
            moved[(moved[:, 4] >= 0) & (moved[:, 0] != encode([Instruction(operation="WR_CFR")])[0, 0]), 4] += base
            before = player.cycle
            player.play(moved)
            ends.append(player.cycle - before)
        parts = [encode(part) for part in programs[number]]
        assert list(repeating.play(parts, key=number, base_row=base, rows=3)) == ends
    assert (repeating.cycle, repeating.results()) == (player.cycle, player.results())


def test_an_overdue_refresh_waits_for_what_a_barrier_ended() -> None:
    """A constraint that held a refresh until the first cycle after a barrier was dropped, so it came too early."""
    rng, standard = random.Random(3), load_aim("per_bank", postponed=1)
    for _ in range(300):
        channels = rng.choice([1, 2, 3])
        player, repeating = AimPlayer(standard, channels), RepeatingPlayer(standard, channels)
        for number in range(rng.randint(1, 12)):
            program = encode([*(some_instruction(rng, channels) for _ in range(rng.randint(1, 5))), SYNC])
            player.play(program)
            repeating.play([program], key=number, base_row=0, rows=3)
        assert (repeating.cycle, repeating.results()) == (player.cycle, player.results())


def some_instruction(rng: random.Random, channels: int) -> Instruction:
    operation = rng.choice(["MAC_ABK", "WR_GB", "WR_ABK", "COPY_BKGB", "RD_MAC", "WR_SBK", "AF"])
    return Instruction(
        operation=operation,
        opsize=rng.choice([1, 64]) if operation in ("MAC_ABK", "WR_GB") else 1,
        mask=rng.randrange(1, 1 << channels),
        bank=rng.randrange(16) if operation in ("COPY_BKGB", "WR_SBK") else -1,
        row=rng.randrange(3) if operation not in ("WR_GB", "RD_MAC", "AF") else -1,
    )


def test_a_program_with_other_rows_is_not_played_again() -> None:
    player = RepeatingPlayer(AIM, 2)
    program = encode([Instruction(operation="MAC_ABK", opsize=64, mask=3, row=0), SYNC])
    for base in (5, 6, 7, 8):
        player.play([program], key="row", base_row=base, rows=1)
    assert (player.played, player.repeated) == (2, 2)  # the first finds no row open

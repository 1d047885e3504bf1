"""Refresh of GDDR6-AiM: both players, the checker, and its cost."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.aim.isa import encode
from hwsim.dram.aim.ledger import LOG_MARGIN
from hwsim.dram.aim.load import load_aim
from hwsim.dram.aim.player import AimPlayer, CommandRun
from hwsim.dram.aim.reference import ReferenceAim
from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.standard import Standard
from hwsim.errors import DramError
from hwsim.replay.aim import play_trace
from tests.dram.aim.strategies import EOC, programs
from tests.dram.aim.test_player import full_row, logs_of, op

ALL_BANK = load_aim("all_bank")
PER_BANK = load_aim("per_bank")
POSTPONED, TWO = load_aim("per_bank", postponed=7), load_aim("all_bank", postponed=1)
# Cycles by which a refresh may come late: a request that has begun is not interrupted, and others of its kind may come
# before it.
LATE = 400


def latest(standard: Standard) -> int:
    """Cycles by which a refresh may come late: refreshes due together follow each other."""
    assert standard.refresh
    return LATE + standard.refresh.postponed * 250


def often(standard: Standard, interval: int) -> Standard:
    """The standard with more frequent refreshes, so that short programs meet many."""
    assert standard.refresh
    return replace(standard, refresh=replace(standard.refresh, interval=interval))


@given(
    data=st.data(),
    channels=st.integers(1, 3),
    queue_depth=st.sampled_from([1, 2, 5, 32]),
    standard=st.sampled_from(
        [
            ALL_BANK,
            PER_BANK,
            often(ALL_BANK, 401),
            often(ALL_BANK, 700),
            often(PER_BANK, 2501),
            POSTPONED,
            often(POSTPONED, 2501),
            often(TWO, 501),
        ]
    ),
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
        assert first_violation(log, standard, check_modes=True, max_refresh_delay=latest(standard)) is None


def test_postponed_refreshes_come_together() -> None:
    """Four banks are due together: all are closed, then refreshed nRREFD apart; their rows reopen once."""
    standard = often(load_aim("per_bank", postponed=3), 2400)  # a bank each 150 cycles, four each 600
    _, logs = logs_of([*[full_row(row, mask=1) for row in range(3)], EOC], 1, standard=standard)
    late = [(e.cycle, e.command, e.bank) for e in logs[0] if e.cycle >= 599]
    assert late[:10] == [
        (599, "MAC16", -1),
        (611, "PRE", 0),
        (612, "PRE", 1),
        (613, "PRE", 2),
        (614, "PRE", 3),
        (643, "REFpb", 0),
        (664, "REFpb", 1),
        (685, "REFpb", 2),
        (706, "REFpb", 3),
        (811, "ACT16", -1),
    ]


def test_a_row_is_refreshed_between_two_of_its_columns() -> None:
    """A refresh due in 600 meets the third row at its 46th column; PREA waits nRTP, REFab nRP, ACT16 nRFC."""
    player, logs = logs_of([*[full_row(row, mask=1) for row in range(3)], EOC], 1, standard=often(ALL_BANK, 600))
    late = [(e.cycle, e.command, e.column) for e in logs[0] if e.cycle >= 599]
    assert late[:6] == [
        (599, "MAC16", 45),
        (611, "PREA", -1),
        (643, "REFab", -1),
        (853, "ACT16", -1),
        (909, "MAC16", 46),
        (911, "MAC16", 47),
    ]
    assert player.cycle == 909 + 17 * 2 + 2


def test_register_accesses_go_on_behind_a_refresh_and_activates_wait() -> None:
    program = [*[op("WR_BIAS", mask=1)] * 186, op("MAC_ABK", 1, 1, row=0), EOC]
    _, logs = logs_of(program, 1, standard=often(ALL_BANK, 402))
    assert [(e.cycle, e.command) for e in logs[0] if e.cycle > 400] == [
        (401, "WRMAC16"),
        (402, "TMOD"),
        (434, "REFab"),
        (435, "TMOD"),
        (467, "WRMAC16"),
        (644, "TMOD"),  # in place of the ACT16 that waited nRFC
        (676, "ACT16"),
        (732, "MAC16"),
    ]


def test_banks_take_turns() -> None:
    _, logs = logs_of([*[full_row(row, mask=1) for row in range(8)], EOC], 1, standard=PER_BANK)
    refreshed = [e.bank for e in logs[0] if e.command == "REFpb"]
    assert refreshed == [k % 16 for k in range(len(refreshed))]
    assert len(refreshed) > 16


def test_a_late_refresh_is_seen_bank_by_bank() -> None:
    _, logs = logs_of([*[full_row(row, mask=1) for row in range(8)], EOC], 1, standard=PER_BANK)
    without = [e for e in logs[0] if (e.command, e.bank) != ("REFpb", 5)]
    broken = first_violation(without, PER_BANK, check_modes=True, max_refresh_delay=LATE)
    assert broken is not None
    assert broken.rule == f"refresh due at cycle {6 * 3333 // 16} must come by {6 * 3333 // 16 + LATE}"


def test_a_channel_without_work_is_refreshed_too() -> None:
    player, _ = logs_of([*[full_row(row, mask=0b01) for row in range(30)], EOC], 2, standard=ALL_BANK)
    assert player.results()[0].commands == {"REFab": player.cycle // 3333}


def test_refresh_costs_what_it_adds(tmp_path: Path) -> None:
    trace = tmp_path / "rows.trace"
    trace.write_text("".join(f"AiM MAC_ABK 64 1 {row}\n" for row in range(100)) + "AiM EOC\n")
    off, all_bank, per_bank = (play_trace(trace, 1, refresh=mode) for mode in ("off", "all_bank", "per_bank"))
    assert off.refresh_cycles == 0
    assert all_bank.refresh_cycles == all_bank.cycles - off.cycles
    assert per_bank.cycles > all_bank.cycles > off.cycles
    assert off.commands.get("REFab", 0) + off.commands.get("REFpb", 0) == 0


def test_nothing_is_postponed_where_nothing_is_refreshed() -> None:
    with pytest.raises(DramError, match="refresh_postponed is 7, but refresh is off"):
        load_aim(postponed=7)


def test_refreshes_without_room_between_them_are_refused() -> None:
    with pytest.raises(DramError, match="refresh of a bank every 100 cycles leaves no time for work"):
        load_aim("per_bank", timing={"nREFI": 1600})


def test_parts_of_a_program_meet_the_same_refreshes() -> None:
    program = [op("WR_BIAS"), full_row(), op("RD_MAC"), EOC]
    whole, parts = AimPlayer(ALL_BANK), AimPlayer(ALL_BANK)
    whole.play(encode(program * 30))
    for instruction in program * 30:
        parts.play(encode([instruction]))
    assert (parts.cycle, parts.results()) == (whole.cycle, whole.results())


def test_the_log_has_room_for_all_refreshes_of_a_long_rest() -> None:
    """A channel that rests through many instructions has more refreshes than the log's margin; once they overran it."""
    seen = Counter[tuple[int, str]]()

    def note(run: CommandRun) -> None:
        for channel in run.channels:
            seen[channel, run.command] += run.count

    player = AimPlayer(PER_BANK, 2, on_commands=note)
    player.play(encode([*[full_row(row, mask=0b01) for row in range(5000)], EOC]))
    assert player.results()[0].commands == {"REFpb": seen[0, "REFpb"]}
    assert seen[0, "REFpb"] > 4 * LOG_MARGIN

"""Channels are played once while nothing can tell them apart."""

import numpy as np

from hwsim.dram.device.bank_state import note
from hwsim.dram.in_order.channels import Channels, new_channels
from hwsim.dram.in_order.classes import members, regroup
from hwsim.dram.in_order.package import Package, PackageProgram
from hwsim.dram.in_order.program import Request, encode
from hwsim.dram.in_order.rules import compile_rules
from hwsim.dram.standards.load import load_standard

STANDARD = load_standard("pim_gpt")
RULES = compile_rules(STANDARD)
IDS = STANDARD.command_ids
SAME = np.zeros(2, dtype=np.int64)


def apart(tracked: int = 0, first_refresh: int | None = None) -> Channels:
    """Two idle channels that have been told apart."""
    channels = new_channels(RULES, 2, first_refresh, tracked=tracked)
    channels.class_of[1] = 1
    return channels


def classes(channels: Channels, start: int, program_of: list[int] | None = None) -> list[int]:
    regroup(channels, RULES.tables.reach, np.array(program_of or [0] * len(channels.class_of), dtype=np.int64), start)
    return channels.class_of.tolist()


def test_idle_channels_become_one() -> None:
    assert classes(apart(), 0) == [0, 0]


def test_a_bound_that_lies_at_the_first_cycle_tells_nothing_apart() -> None:
    # a WRGB at 0 lets a RDMAC16 go from nCWLGB + nBL + nWTR = 12 on
    for start, expected in ((11, [0, 1]), (12, [0, 0])):
        channels = apart()
        note(channels.banks, RULES.tables, 1, IDS["WRGB"], 0, 0)
        assert classes(channels, start) == expected


def test_an_open_row_tells_channels_apart_for_ever() -> None:
    channels = apart()
    channels.banks.open_rows[1, 3] = 7
    assert classes(channels, 1 << 40) == [0, 1]


def test_a_data_wait_tells_channels_apart_until_the_longest_wait_is_over() -> None:
    for start, expected in ((RULES.tables.reach + 4, [0, 1]), (RULES.tables.reach + 5, [0, 0])):
        channels = apart(tracked=1)
        channels.data_issues[1, 0] = 5
        assert classes(channels, start) == expected


def test_issues_of_a_window_tell_channels_apart_while_they_can_still_count() -> None:
    standard = load_standard("ddr4_2133")
    rules = compile_rules(standard)
    for start, expected in ((rules.tables.reach + 4, [0, 1]), (rules.tables.reach + 5, [0, 0])):
        channels = new_channels(rules, 2, 10**6)
        channels.class_of[1] = 1
        note(channels.banks, rules.tables, 1, standard.command_ids["ACT"], 0, 5)
        regroup(channels, rules.tables.reach, SAME, start)
        assert channels.class_of.tolist() == expected


def test_a_refresh_that_is_overdue_comes_before_the_program() -> None:
    # due at 111: a command that may go from 112 on delays it, although the program begins at 5,000
    for due, expected in ((111, [0, 1]), (112, [0, 0])):
        channels = apart(first_refresh=due)
        note(channels.banks, RULES.tables, 1, IDS["WRGB"], 0, 100)
        assert classes(channels, 5_000) == expected


def test_different_programs_split_a_class_and_copy_its_state() -> None:
    channels = new_channels(RULES, 4, None)
    note(channels.banks, RULES.tables, 0, IDS["WRGB"], 0, 0)
    assert classes(channels, 0, [0, 1, 0, 1]) == [0, 1, 0, 1]
    assert [members(channels, c) for c in (0, 1)] == [2, 2]
    assert channels.banks.last_issue.tolist()[:2] == [0, 0]
    assert (channels.banks.allowed[1] == channels.banks.allowed[0]).all()


def test_channels_that_refresh_late_do_so_each_in_its_own_time() -> None:
    """The first has long been refreshed when the others play again, whose refresh still waits for their rows."""
    assert STANDARD.refresh
    due = STANDARD.refresh.interval
    programs = [
        [Request(command="RD", bank=0, repeat=due)],
        [Request(command="WRGB", count=1), Request(command="RD", bank=0)],
        [Request(command="WRGB", count=5), Request(command="RD", bank=0)],
    ]
    package = Package(STANDARD, 3, record=True)
    package.play(PackageProgram.of([encode(each, STANDARD) for each in programs]), due - 60)
    package.play(PackageProgram.of([encode([Request(command="RD", bank=1)], STANDARD)] * 3), 10 * due)
    # a row opened at -59 may be closed when the refresh is due, one opened at -51 after nRAS = 54
    assert [[e.cycle - due for e in log if e.command == "PREA"][:1] for log in package.logs[1:]] == [[0], [3]]

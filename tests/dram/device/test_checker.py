"""The legality checker accepts what is legal and names the first rule that is broken."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.log import LoggedCommand, parse_line
from hwsim.dram.in_order.program import Request
from hwsim.dram.in_order.reference import ReferenceChannel
from hwsim.dram.standards.load import STANDARDS, load_standard
from hwsim.errors import DramError
from tests.dram.strategies import plays, programs

PIM = load_standard("pim_gpt", refresh=False)
DDR4 = load_standard("ddr4_2133", refresh=False)


def sweep() -> list[LoggedCommand]:
    channel = ReferenceChannel(PIM)
    channel.play([Request(command="MAC16", count=66)], 0)
    return channel.log


def rule_broken_by(*log: LoggedCommand, standard: str = "pim_gpt", max_refresh_delay: int | None = None) -> str:
    violation = first_violation(log, load_standard(standard), max_refresh_delay=max_refresh_delay)
    assert violation is not None
    assert violation.index == len(log) - 1
    return violation.rule


@pytest.mark.parametrize("name", STANDARDS)
@given(data=st.data())
@settings(max_examples=20)
def test_what_the_reference_plays_is_legal(name: str, data: st.DataObject) -> None:
    standard = load_standard(name)
    channel = ReferenceChannel(standard)
    now = 0
    for requests, gap in data.draw(plays(standard)):
        now = channel.play(requests, now + gap)
    # a due refresh waits until open rows are closed: nRAS or write recovery, then nRP
    assert first_violation(channel.log, standard, max_refresh_delay=200) is None


@pytest.mark.parametrize("name", STANDARDS)
@given(data=st.data())
@settings(max_examples=20)
def test_no_command_of_the_reference_could_come_a_cycle_earlier(name: str, data: st.DataObject) -> None:
    standard = load_standard(name, refresh=False)
    channel = ReferenceChannel(standard)
    channel.play(data.draw(programs(standard)), 0)
    log = channel.log
    bound = [i for i in range(1, len(log)) if log[i].cycle > log[i - 1].cycle + 1]
    for index in bound[:20]:
        early = replace(log[index], cycle=log[index].cycle - 1)
        violation = first_violation([*log[:index], early, *log[index + 1 :]], standard)
        assert violation is not None
        assert (violation.index, violation.earliest) == (index, log[index].cycle)
        assert f"-> {early.command} at " in violation.rule


def test_a_command_one_cycle_early_names_the_constraint() -> None:
    log = sweep()
    log[1] = replace(log[1], cycle=23)
    assert str(first_violation(log, PIM)) == (
        "command 1 (23 MAC16 -1 0 0): ACT16 -> MAC16 at channel: 24 cycles, found 23; legal from cycle 24 on"
    )


def test_of_several_broken_constraints_the_longest_wait_is_named() -> None:
    log = [
        LoggedCommand(cycle=0, command="ACT", bank=0, row=0),
        LoggedCommand(cycle=15, command="WR", bank=0, row=0, column=0),
        LoggedCommand(cycle=17, command="RD", bank=0, row=0, column=0),
    ]
    # channel and rank allow earlier reads: nCWL + nBL + nWTRS = 18 and, in the bank group, + nWTRL = 23
    assert str(first_violation(log, DDR4)) == (
        "command 2 (17 RD 0 0 0): WR -> RD at bankgroup: 23 cycles, found 2; legal from cycle 38 on"
    )


def test_bank_groups_wait_less_for_each_other_than_within() -> None:
    first = LoggedCommand(cycle=0, command="ACT", bank=0, row=0)
    beside = replace(first, cycle=4, bank=1)  # same bank group: nRRDL 6
    assert first_violation([first, replace(beside, bank=4)], DDR4) is None
    assert rule_broken_by(first, beside, standard="ddr4_2133") == "ACT -> ACT at bankgroup: 6 cycles, found 4"


def test_a_window_is_checked_over_its_four_activates() -> None:
    banks = (0, 4, 8, 12, 1)
    log = [LoggedCommand(cycle=4 * i, command="ACT", bank=bank, row=0) for i, bank in enumerate(banks)]
    assert str(first_violation(log, DDR4)) == (
        "command 4 (16 ACT 1 0 -1): ACT -> ACT at rank (window of 4): 23 cycles, found 16; legal from cycle 23 on"
    )
    assert first_violation([*log[:4], replace(log[4], cycle=23)], DDR4) is None


def test_a_missing_activate_leaves_its_row_closed() -> None:
    violation = first_violation(sweep()[1:], PIM)
    assert violation is not None
    assert violation.rule == "needs row 0 open, found closed"


def test_a_column_needs_its_own_row_in_every_bank() -> None:
    log = [
        LoggedCommand(cycle=0, command="ACT", bank=0, row=2),
        LoggedCommand(cycle=99, command="MAC16", row=2, column=0),
    ]
    assert rule_broken_by(*log) == "needs row 2 open, found closed, row 2"


def test_auto_precharge_closes_the_row() -> None:
    log = [
        LoggedCommand(cycle=0, command="ACT", bank=0, row=2),
        LoggedCommand(cycle=15, command="RDA", bank=0, row=2, column=0),
        LoggedCommand(cycle=99, command="RD", bank=0, row=2, column=0),
    ]
    assert rule_broken_by(*log, standard="ddr4_2133") == "needs row 2 open, found closed"


def test_an_open_bank_is_not_activated_again() -> None:
    log = [
        LoggedCommand(cycle=0, command="ACT", bank=3, row=1),
        LoggedCommand(cycle=500, command="ACT", bank=3, row=1),
    ]
    assert rule_broken_by(*log) == "needs closed banks, found row 1"


def test_closed_banks_may_be_precharged() -> None:
    log = [LoggedCommand(cycle=0, command="PRE", bank=3), LoggedCommand(cycle=500, command="PREA")]
    assert first_violation(log, PIM) is None


def test_two_commands_in_one_cycle_are_one_too_many() -> None:
    log = sweep()
    log[2] = replace(log[2], cycle=log[1].cycle)
    assert str(first_violation(log, PIM)) == (
        "command 2 (24 MAC16 -1 0 1): one command a cycle, in order of time; legal from cycle 25 on"
    )


def test_a_refresh_needs_closed_banks() -> None:
    log = [LoggedCommand(cycle=0, command="ACT16", row=3), LoggedCommand(cycle=500, command="REFab")]
    assert rule_broken_by(*log) == "needs closed banks, found row 3"


def test_a_forgotten_refresh_is_found() -> None:
    late = LoggedCommand(cycle=14_651, command="ACT16", row=0)
    assert rule_broken_by(late, max_refresh_delay=1000) == "refresh due at cycle 13650 must come by 14650"
    assert first_violation([late], load_standard("pim_gpt")) is None  # not asked for


def test_a_late_refresh_is_found() -> None:
    on_time = [LoggedCommand(cycle=13_650, command="REFab"), LoggedCommand(cycle=27_310, command="REFab")]
    assert first_violation(on_time, load_standard("pim_gpt"), max_refresh_delay=10) is None
    assert rule_broken_by(*on_time, max_refresh_delay=9) == "refresh due at cycle 27300 must come by 27309"


def test_a_refresh_of_one_bank_does_not_replace_one_of_all() -> None:
    log = [LoggedCommand(cycle=3333, command="REFpb", bank=0), LoggedCommand(cycle=4000, command="WRGB")]
    rule = rule_broken_by(*log, standard="gddr6_aim", max_refresh_delay=100)
    assert rule == "refresh due at cycle 3333 must come by 3433"


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (LoggedCommand(cycle=0, command="NOP"), "pim_gpt has no such command"),
        (LoggedCommand(cycle=0, command="ACT", bank=16, row=0), "needs a bank below 16"),
        (LoggedCommand(cycle=0, command="PRE"), "needs a bank below 16"),
        (LoggedCommand(cycle=0, command="REFab", bank=16), "works on all banks and names none, found 16"),
        (LoggedCommand(cycle=0, command="ACT16", row=16384), "needs a row below 16384"),
        (LoggedCommand(cycle=0, command="MAC16", row=0, column=64), "needs a column below 64"),
    ],
)
def test_an_address_outside_the_device_is_found(entry: LoggedCommand, rule: str) -> None:
    assert rule_broken_by(entry) == rule


def test_a_log_line_reads_back() -> None:
    entry = LoggedCommand(cycle=7, command="RD", bank=3, row=2, column=1)
    assert str(entry) == "7 RD 3 2 1"
    assert parse_line("7 RD 3 2 1\n") == entry


@pytest.mark.parametrize("line", ["7 RD three 2 1", "7 RD 3 2", ""])
def test_a_log_line_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(DramError) as error:
        parse_line(line)
    assert str(error.value) == f"log line {line!r}: expected `cycle command bank row column`"

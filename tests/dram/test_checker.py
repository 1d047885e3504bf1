"""The legality checker accepts what is legal and names the first rule that is broken."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.checker import first_violation
from hwsim.dram.log import LoggedCommand, parse_line
from hwsim.dram.program import Request
from hwsim.dram.reference import ReferenceChannel
from hwsim.dram.standard import STANDARDS, load_standard
from hwsim.errors import DramError
from tests.dram.strategies import programs

PIM = load_standard("pim_gpt", refresh=False)


def sweep() -> list[LoggedCommand]:
    channel = ReferenceChannel(PIM)
    channel.play([Request(command="MAC16", count=66)], 0)
    return channel.log


@pytest.mark.parametrize("name", STANDARDS)
@given(data=st.data())
@settings(max_examples=15)
def test_what_the_reference_plays_is_legal(name: str, data: st.DataObject) -> None:
    standard = load_standard(name)
    channel = ReferenceChannel(standard, first_refresh=data.draw(st.integers(0, 300)))
    channel.play(data.draw(programs(standard)), 0)
    assert first_violation(channel.log, standard) is None


def test_a_command_one_cycle_early_names_the_constraint() -> None:
    log = sweep()
    log[1] = replace(log[1], cycle=23)
    assert str(first_violation(log, PIM)) == (
        "command 1 (23 MAC16 -1 0 0): ACT16 -> MAC16 at channel: 24 cycles, found 23; legal from cycle 24 on"
    )


def test_a_window_is_checked_over_its_four_activates() -> None:
    standard = load_standard("ddr4_2133", timing={"tFAW_ns": 80}, refresh=False)
    log = [LoggedCommand(cycle=10 * i, command="ACT", bank=4 * (i % 4) + i // 4, row=0) for i in range(5)]
    violation = first_violation(log, standard)
    assert violation is not None
    assert violation.rule == "ACT -> ACT at rank (window of 4): 86 cycles, found 40"


def test_a_missing_activate_leaves_its_row_closed() -> None:
    violation = first_violation(sweep()[1:], PIM)
    assert violation is not None
    assert violation.rule == "needs row 0 open, found closed"


def test_two_commands_in_one_cycle_are_one_too_many() -> None:
    log = sweep()
    violation = first_violation([log[0], replace(log[1], cycle=0)], PIM)
    assert violation is not None
    assert violation.rule == "one command a cycle, in order of time"


def test_a_refresh_needs_closed_banks() -> None:
    log = [LoggedCommand(cycle=0, command="ACT16", row=3), LoggedCommand(cycle=500, command="REFab")]
    violation = first_violation(log, PIM)
    assert violation is not None
    assert violation.rule == "needs closed banks, found row 3"


def test_a_forgotten_refresh_is_found() -> None:
    standard = load_standard("pim_gpt")
    log = [LoggedCommand(cycle=20_000, command="ACT16", row=0)]
    violation = first_violation(log, standard, max_refresh_delay=1000)
    assert violation is not None
    assert violation.rule == "refresh due at cycle 13650 has not come"


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (LoggedCommand(cycle=0, command="NOP"), "pim_gpt has no such command"),
        (LoggedCommand(cycle=0, command="ACT", bank=16, row=0), "needs a bank below 16"),
        (LoggedCommand(cycle=0, command="ACT16", row=16384), "needs a row below 16384"),
    ],
)
def test_an_address_outside_the_device_is_found(entry: LoggedCommand, rule: str) -> None:
    violation = first_violation([entry], PIM)
    assert violation is not None
    assert violation.rule == rule


def test_a_log_line_reads_back() -> None:
    entry = LoggedCommand(cycle=7, command="RD", bank=3, row=2, column=1)
    assert parse_line(str(entry)) == entry
    with pytest.raises(DramError, match="expected `cycle command bank row column`"):
        parse_line("7 RD three 2 1")

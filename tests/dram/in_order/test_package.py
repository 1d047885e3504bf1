"""The fast player equals the reference to the cycle, command by command."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order.causes import CAUSES
from hwsim.dram.in_order.controller import ChannelController
from hwsim.dram.in_order.package import FastChannel, OpenCycles, Package, PackageProgram
from hwsim.dram.in_order.program import Request, encode
from hwsim.dram.in_order.reference import ReferenceChannel
from hwsim.dram.standards.load import STANDARDS, load_standard
from hwsim.errors import DramError
from tests.dram.strategies import plays, programs


@pytest.mark.parametrize("name", STANDARDS)
@given(data=st.data())
@settings(max_examples=60)
def test_a_channel_equals_the_reference(name: str, data: st.DataObject) -> None:
    standard = load_standard(name, refresh=data.draw(st.booleans()))
    first_refresh = data.draw(st.one_of(st.none(), st.integers(0, 500)))
    fast = FastChannel(standard, first_refresh=first_refresh, record=True)
    slow = ReferenceChannel(standard, first_refresh=first_refresh)
    now = 0
    for requests, gap in data.draw(plays(standard)):
        now += gap
        finish = slow.play(requests, now)
        assert fast.play(requests, now) == finish
        now = finish
    assert fast.log == slow.log
    assert fast.counts == slow.counts
    assert (fast.package.column_accesses, fast.package.row_hits) == (slow.column_accesses, slow.row_hits)
    assert first_violation(fast.log, standard) is None


@given(data=st.data())
@settings(max_examples=60)
def test_channels_that_share_a_state_equal_channels_apart(data: st.DataObject) -> None:
    standard = load_standard("pim_gpt")
    channels = 4
    package = Package(standard, channels, first_refresh=700, record=True)
    apart = [ReferenceChannel(standard, first_refresh=700) for _ in range(channels)]
    now = 0
    for _ in range(data.draw(st.integers(1, 4))):
        some = data.draw(st.lists(programs(standard), min_size=1, max_size=2))
        of = [some[data.draw(st.integers(0, len(some) - 1))] for _ in range(channels)]
        now += data.draw(st.integers(0, 2000))
        finish = package.play(PackageProgram.of([encode(requests, standard) for requests in of]), now)
        assert finish == max(channel.play(requests, now) for channel, requests in zip(apart, of, strict=True))
        now = finish
    assert package.logs == [channel.log for channel in apart]
    assert package.column_accesses == sum(channel.column_accesses for channel in apart)
    assert sum(package.counts.values()) == sum(len(channel.log) for channel in apart)


@given(data=st.data())
@settings(max_examples=40)
def test_the_causes_of_time_add_up(data: st.DataObject) -> None:
    standard = load_standard("pim_gpt")
    package = Package(standard, 1, first_refresh=data.draw(st.integers(0, 300)))
    start = data.draw(st.integers(0, 1000))
    causes = np.zeros(len(CAUSES), dtype=np.int64)
    finish = package.play(PackageProgram.of([encode(data.draw(programs(standard)), standard)]), start, causes=causes)
    assert causes.sum() == finish - start


def open_cycles_of(log: list[LoggedCommand], standard: Standard, until: int) -> OpenCycles:
    """The time that rows were open, by walking through every cycle's state between two commands of a log."""
    open_banks: set[int] = set()
    channel_cycles = bank_cycles = last = 0
    for entry in [*log, LoggedCommand(cycle=until, command="end")]:
        channel_cycles += (entry.cycle - last) * bool(open_banks)
        bank_cycles += (entry.cycle - last) * len(open_banks)
        last = entry.cycle
        if entry.command == "end":
            break
        command = standard.commands[entry.command]
        width = standard.banks_below(command.scope)
        first = max(entry.bank, 0) // width * width
        if command.kind == "activate":
            open_banks |= set(range(first, first + width))
        elif command.kind == "precharge" or command.auto_precharge:
            open_banks -= set(range(first, first + width))
    return OpenCycles(channels=channel_cycles, banks=bank_cycles)


@pytest.mark.parametrize("name", STANDARDS)
@given(data=st.data())
@settings(max_examples=40)
def test_the_time_that_rows_are_open_equals_that_of_the_log(name: str, data: st.DataObject) -> None:
    standard = load_standard(name, refresh=data.draw(st.booleans()))
    channels = 3
    package = Package(standard, channels, first_refresh=500)
    apart = [ReferenceChannel(standard, first_refresh=500) for _ in range(channels)]
    now = 0
    for _ in range(data.draw(st.integers(1, 4))):
        some = data.draw(st.lists(programs(standard), min_size=1, max_size=2))
        of = [some[data.draw(st.integers(0, len(some) - 1))] for _ in range(channels)]
        now += data.draw(st.integers(0, 3000))
        finish = package.play(PackageProgram.of([encode(requests, standard) for requests in of]), now)
        for channel, requests in zip(apart, of, strict=True):
            channel.play(requests, now)
        now = finish
    until = now + data.draw(st.integers(0, 1000))
    expected = [open_cycles_of(channel.log, standard, until) for channel in apart]
    assert package.open_cycles(until).channels == sum(each.channels for each in expected)
    assert package.open_cycles(until).banks == sum(each.banks for each in expected)


def test_a_row_is_open_from_its_activate_to_its_precharge() -> None:
    standard = load_standard("pim_gpt", refresh=False)
    package = Package(standard, 2)
    one = encode([Request(command="MAC16", count=64)], standard)  # ACT16 at 0, left open
    two = encode([Request(command="WR", bank=3), Request(command="WR", bank=3, row=1)], standard)
    finish = package.play(PackageProgram.of([one, two]), 0)
    assert finish == 24 + 2 * 64
    # the second channel: ACT at 0, PRE at nRCD 24 + nCWL 6 + nBL 2 + nWR 24 = 56, ACT at 80, open from then on
    assert package.open_cycles(200) == (200 + 56 + 120, 16 * 200 + 56 + 120)
    with pytest.raises(ValueError, match="after cycle 100"):
        package.open_cycles(100)


def test_equal_channels_are_played_once() -> None:
    standard = load_standard("pim_gpt", refresh=False)
    package = Package(standard, 8)
    package.play(PackageProgram.of([encode([Request(command="MAC16", count=128)], standard)] * 8), 0)
    assert package.counts == {"ACT16": 16, "PREA": 8, "MAC16": 1024}
    assert package.steps == 5  # two activates, a precharge, two sweeps


def test_channels_become_one_again_when_their_differences_no_longer_bind() -> None:
    standard = load_standard("pim_gpt", refresh=False)
    package = Package(standard, 2)
    sweep = encode([Request(command="MAC16", count=64)], standard)
    package.play(PackageProgram.of([sweep, encode([Request(command="MAC16", count=32)], standard)]), 0)
    package.play(PackageProgram.of([sweep, sweep]), 10_000)
    before = package.steps
    package.play(PackageProgram.of([sweep, sweep]), 20_000)
    assert package.steps - before == 1  # the row is open in both: one sweep for the two


def test_row_base_moves_a_program() -> None:
    standard = load_standard("pim_gpt", refresh=False)
    package = Package(standard, 1, record=True)
    package.play(PackageProgram.of([encode([Request(command="MAC16", row=1)], standard)]), 0, row_base=40)
    assert [entry.row for entry in package.logs[0]] == [41, 41]


def test_a_log_longer_than_its_first_buffer_is_whole() -> None:
    standard = load_standard("pim_gpt")
    requests = [Request(command="WR", bank=bank % 16, row=bank % 3, count=2) for bank in range(700)]
    fast, slow = FastChannel(standard, record=True), ReferenceChannel(standard)
    assert fast.play(requests, 0) == slow.play(requests, 0)
    assert fast.log == slow.log


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request(command="MAC32"), "pim_gpt has no command 'MAC32'"),
        (Request(command="ACT16"), "ACT16 is issued by the controller"),
        (Request(command="WR", bank=16), "bank 16 is not one of the 16"),
        (Request(command="MAC16", bank=2), "bank 2 is not one of the 16"),
        (Request(command="MAC16", row=16383, count=65), "leaves the bank of 16384 rows x 64 columns"),
        (Request(command="WRGB", count=-1), "count -1 and repeat 1 must be at least 0 and 1"),
        (Request(command="WRGB", bank=3), "WRGB names no bank, got bank 3"),
    ],
)
def test_a_request_outside_the_device_is_refused(request_: Request, message: str) -> None:
    standard: Standard = load_standard("pim_gpt")
    with pytest.raises(DramError, match=message):
        encode([request_], standard)


def test_a_channel_of_one_bank_plays_single_bank_commands() -> None:
    standard = load_standard("pim_gpt", levels={"bankgroup": 1, "bank": 1})
    requests = [Request(command="MAC16", count=3), Request(command="WR", bank=0, row=1, count=2)]
    fast, slow = FastChannel(standard, record=True), ReferenceChannel(standard)
    assert fast.play(requests, 0) == slow.play(requests, 0)
    assert fast.log == slow.log
    assert first_violation(fast.log, standard) is None


def test_both_players_are_controllers() -> None:
    standard = load_standard("ddr4_2133")
    controllers: list[ChannelController] = [FastChannel(standard), ReferenceChannel(standard)]
    assert all(isinstance(controller, ChannelController) for controller in controllers)
    read = [Request(command="RD", bank=0)]
    assert [controller.play(read, 0) for controller in controllers] == [15 + 15 + 4] * 2  # tRCD, CL, burst
    assert [controller.counts for controller in controllers] == [{"ACT": 1, "RD": 1}] * 2

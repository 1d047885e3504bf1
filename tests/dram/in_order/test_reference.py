"""The reference player, by hand-computed timelines."""

import pytest

from hwsim.dram.in_order.program import Request
from hwsim.dram.in_order.reference import ReferenceChannel
from hwsim.dram.standards.load import load_standard
from hwsim.errors import DramError

AIM = load_standard("gddr6_aim", refresh=False)
PIM = load_standard("pim_gpt", refresh=False)
DDR4 = load_standard("ddr4_2133", refresh=False)


def timeline(channel: ReferenceChannel) -> list[tuple[int, str]]:
    return [(entry.cycle, entry.command) for entry in channel.log]


def test_a_full_aim_row_opens_and_sweeps_at_two_cycles_a_column() -> None:
    channel = ReferenceChannel(AIM)
    finish = channel.play([Request(command="MAC16", count=64)], 0)
    assert timeline(channel) == [(0, "ACT16"), *((cycle, "MAC16") for cycle in range(56, 183, 2))]
    assert finish == 183
    assert channel.counts == {"ACT16": 1, "MAC16": 64}


def test_steady_aim_rows_are_226_cycles_apart() -> None:
    channel = ReferenceChannel(AIM)
    channel.play([Request(command="MAC16", count=64 * 3)], 0)
    activates = [cycle for cycle, command in timeline(channel) if command == "ACT16"]
    assert activates == [0, 226, 452]  # 56 + 2*63 + 12 + 32


def test_a_pim_gpt_row_is_93_ns() -> None:
    channel = ReferenceChannel(PIM)
    channel.play([Request(command="MAC16", count=128)], 0)
    # tRCD 24, 63 columns 2 apart, tRTP 12, tRP 24: 186 cycles of 0.5 ns
    rows = [entry for entry in timeline(channel) if entry[1] in ("ACT16", "PREA")]
    assert rows == [(0, "ACT16"), (162, "PREA"), (186, "ACT16")]


def test_a_run_sweeps_each_row_as_often_as_asked_before_the_next() -> None:
    channel = ReferenceChannel(PIM)
    finish = channel.play([Request(command="MAC16", column=62, count=3, repeat=2)], 0)
    assert [str(entry) for entry in channel.log] == [
        "0 ACT16 -1 0 -1",
        "24 MAC16 -1 0 62",
        "26 MAC16 -1 0 63",
        "28 MAC16 -1 0 62",
        "30 MAC16 -1 0 63",
        "54 PREA -1 -1 -1",  # tRAS 54
        "78 ACT16 -1 1 -1",
        "102 MAC16 -1 1 0",
        "104 MAC16 -1 1 0",
    ]
    assert finish == 106
    assert (channel.column_accesses, channel.row_hits) == (6 * 16, 4 * 16)


def test_another_row_of_a_bank_costs_a_precharge_and_an_activate() -> None:
    channel = ReferenceChannel(DDR4)
    finish = channel.play([Request(command="RD", bank=3, row=0), Request(command="RD", bank=3, row=1)], 0)
    assert [str(entry) for entry in channel.log] == [
        "0 ACT 3 0 -1",
        "15 RD 3 0 0",
        "36 PRE 3 -1 -1",  # nRAS 36 binds, not nRTP 8 after the read
        "51 ACT 3 1 -1",
        "66 RD 3 1 0",
    ]
    assert finish == 66 + 15 + 4
    assert (channel.column_accesses, channel.row_hits) == (2, 0)


def test_an_all_bank_access_closes_a_row_that_only_one_bank_has_open() -> None:
    channel = ReferenceChannel(PIM)
    channel.play([Request(command="RD", bank=2, row=5), Request(command="MAC16", row=5)], 0)
    assert timeline(channel) == [(0, "ACT"), (24, "RD"), (54, "PREA"), (78, "ACT16"), (102, "MAC16")]
    assert (channel.column_accesses, channel.row_hits) == (1 + 16, 0)


def test_one_bank_reads_the_row_that_an_all_bank_access_opened() -> None:
    channel = ReferenceChannel(PIM)
    channel.play([Request(command="MAC16", row=5), Request(command="RD", bank=2, row=5, column=9)], 0)
    assert [str(entry) for entry in channel.log] == ["0 ACT16 -1 5 -1", "24 MAC16 -1 5 0", "26 RD 2 5 9"]
    assert (channel.column_accesses, channel.row_hits) == (16 + 1, 1)


def test_auto_precharge_opens_the_row_for_every_write() -> None:
    channel = ReferenceChannel(PIM)
    finish = channel.play([Request(command="WRA16", count=2)], 0)
    # nCWL 6 + nBL 2 + nWR 24 + nRP 24 from the write to the next activate
    assert timeline(channel) == [(0, "ACT16"), (24, "WRA16"), (80, "ACT16"), (104, "WRA16")]
    assert finish == 112
    assert channel.row_hits == 0


def test_a_fifth_ddr4_activate_waits_for_the_window_of_four() -> None:
    # an in-order controller reads before it opens the next bank, so only a long tFAW (80 ns, 86 cycles) binds
    channel = ReferenceChannel(load_standard("ddr4_2133", timing={"tFAW_ns": 80}, refresh=False))
    channel.play([Request(command="RD", bank=bank) for bank in (0, 4, 8, 12, 1, 5)], 0)
    activates = [cycle for cycle, command in timeline(channel) if command == "ACT"]
    assert activates == [0, 16, 32, 48, 86, 102]


def test_rows_stay_open_from_one_play_to_the_next() -> None:
    channel = ReferenceChannel(PIM)
    assert channel.play([Request(command="MAC16")], 0) == 26
    assert channel.play([Request(command="MAC16", column=1)], 1000) == 1002
    assert timeline(channel) == [(0, "ACT16"), (24, "MAC16"), (1000, "MAC16")]
    assert channel.row_hits == 16


def test_an_empty_program_ends_as_it_starts() -> None:
    channel = ReferenceChannel(load_standard("pim_gpt"))
    assert channel.play([], 99_999) == 99_999
    assert channel.play([Request(command="MAC16", count=0)], 99_999) == 99_999
    assert channel.log == []


def test_a_refresh_in_a_sweep_closes_the_row_and_opens_it_again() -> None:
    channel = ReferenceChannel(load_standard("gddr6_aim"), first_refresh=60)
    channel.play([Request(command="MAC16", count=4)], 0)
    assert timeline(channel) == [
        (0, "ACT16"),
        (56, "MAC16"),
        (58, "MAC16"),
        (70, "PREA"),  # nRTP 12 after the last MAC; due at 60
        (102, "REFab"),  # nRP 32, and nRC 89 after the activate
        (312, "ACT16"),  # nRFC 210
        (368, "MAC16"),
        (370, "MAC16"),
    ]
    assert (channel.column_accesses, channel.row_hits) == (64, 32)  # both first accesses after an activate miss


def test_a_refresh_between_an_activate_and_its_access_undoes_the_activate() -> None:
    channel = ReferenceChannel(load_standard("gddr6_aim"), first_refresh=30)
    channel.play([Request(command="MAC16")], 0)
    assert timeline(channel) == [
        (0, "ACT16"),
        (54, "PREA"),  # nRAS
        (89, "REFab"),  # nRC after the activate, later than nRP after the precharge
        (299, "ACT16"),
        (355, "MAC16"),
    ]
    assert (channel.column_accesses, channel.row_hits) == (16, 0)


def test_an_access_in_the_cycle_of_a_refresh_gives_way() -> None:
    channel = ReferenceChannel(load_standard("gddr6_aim"), first_refresh=7)
    channel.play([Request(command="WRGB", count=5)], 0)
    # no constraint holds a register transfer after a refresh; nBL 2 apart
    assert timeline(channel) == [(0, "WRGB"), (2, "WRGB"), (4, "WRGB"), (6, "WRGB"), (7, "REFab"), (8, "WRGB")]
    channel = ReferenceChannel(load_standard("gddr6_aim"), first_refresh=6)
    channel.play([Request(command="WRGB", count=4)], 0)
    assert timeline(channel) == [(0, "WRGB"), (2, "WRGB"), (4, "WRGB"), (6, "REFab"), (7, "WRGB")]


def test_an_idle_channel_refreshes_on_time() -> None:
    channel = ReferenceChannel(load_standard("gddr6_aim"))
    finish = channel.play([Request(command="WRGB")], 10_000)
    assert timeline(channel) == [(3333, "REFab"), (6666, "REFab"), (9999, "REFab"), (10_000, "WRGB")]
    assert finish == 10_003


def test_an_idle_channel_closes_its_rows_for_a_refresh_on_time() -> None:
    channel = ReferenceChannel(load_standard("pim_gpt"), first_refresh=100)
    channel.play([Request(command="MAC16")], 0)
    channel.play([Request(command="MAC16")], 5000)
    assert timeline(channel)[2:] == [(100, "PREA"), (124, "REFab"), (5000, "ACT16"), (5024, "MAC16")]
    assert channel.row_hits == 0


def test_a_program_for_another_device_is_refused() -> None:
    channel = ReferenceChannel(PIM)
    with pytest.raises(DramError, match="pim_gpt has no command 'AF16'"):
        channel.play([Request(command="MAC16"), Request(command="AF16")], 0)
    assert channel.log == []

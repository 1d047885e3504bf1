"""The reference player, by hand-computed timelines."""

from hwsim.dram.program import Request
from hwsim.dram.reference import ReferenceChannel
from hwsim.dram.standard import load_standard

AIM = load_standard("gddr6_aim", refresh=False)


def timeline(channel: ReferenceChannel) -> list[tuple[int, str]]:
    return [(entry.cycle, entry.command) for entry in channel.log]


def test_a_full_aim_row_opens_and_sweeps_at_two_cycles_a_column() -> None:
    channel = ReferenceChannel(AIM)
    finish = channel.play([Request(command="MAC16", count=64)], 0)
    assert timeline(channel)[:3] == [(0, "ACT16"), (56, "MAC16"), (58, "MAC16")]
    assert timeline(channel)[-1] == (182, "MAC16")
    assert finish == 183


def test_steady_aim_rows_are_226_cycles_apart() -> None:
    channel = ReferenceChannel(AIM)
    channel.play([Request(command="MAC16", count=64 * 3)], 0)
    activates = [cycle for cycle, command in timeline(channel) if command == "ACT16"]
    assert activates == [0, 226, 452]  # 56 + 2*63 + 12 + 32


def test_a_pim_gpt_row_is_93_ns() -> None:
    channel = ReferenceChannel(load_standard("pim_gpt", refresh=False))
    channel.play([Request(command="MAC16", count=128)], 0)
    # tRCD 24, 63 columns 2 apart, tRTP 12, tRP 24: 186 cycles of 0.5 ns
    rows = [entry for entry in timeline(channel) if entry[1] in ("ACT16", "PREA")]
    assert rows == [(0, "ACT16"), (162, "PREA"), (186, "ACT16")]


def test_a_fifth_ddr4_activate_waits_for_the_window_of_four() -> None:
    channel = ReferenceChannel(load_standard("ddr4_2133", timing={"tFAW_ns": 40}, refresh=False))
    channel.play([Request(command="RD", bank=bank) for bank in (0, 4, 8, 12, 1)], 0)
    activates = [cycle for cycle, command in timeline(channel) if command == "ACT"]
    # in-order: each read waits tRCD 15, the next activate a cycle after it; the fifth waits tFAW = 43 from the first
    assert activates == [0, 16, 32, 48, 64]
    back_to_back = ReferenceChannel(load_standard("ddr4_2133", timing={"tFAW_ns": 80}, refresh=False))
    back_to_back.play([Request(command="RD", bank=bank) for bank in (0, 4, 8, 12, 1)], 0)
    assert [cycle for cycle, command in timeline(back_to_back) if command == "ACT"] == [0, 16, 32, 48, 86]


def test_a_refresh_in_a_sweep_closes_the_row_and_opens_it_again() -> None:
    channel = ReferenceChannel(load_standard("gddr6_aim"), first_refresh=60)
    channel.play([Request(command="MAC16", count=4)], 0)
    assert timeline(channel) == [
        (0, "ACT16"),
        (56, "MAC16"),
        (58, "MAC16"),
        (70, "PREA"),  # nRTP 12 behind the last MAC; due at 60
        (102, "REFab"),  # nRP 32, and nRC 89 behind the activate
        (312, "ACT16"),  # nRFC 210
        (368, "MAC16"),
        (370, "MAC16"),
    ]
    assert (channel.column_accesses, channel.row_hits) == (64, 32)  # both first accesses behind an activate miss


def test_an_idle_channel_refreshes_on_time() -> None:
    channel = ReferenceChannel(load_standard("gddr6_aim"))
    channel.play([Request(command="WRGB")], 10_000)
    assert timeline(channel) == [(3333, "REFab"), (6666, "REFab"), (9999, "REFab"), (10_000, "WRGB")]

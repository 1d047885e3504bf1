"""What the controller does with single requests, streams and random traffic."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order.controller import ChannelController
from hwsim.dram.in_order.program import Request
from hwsim.dram.random_access.coalesce import coalesce
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.random_access.patterns import generate
from hwsim.dram.random_access.player import MemoryChannel, MemoryPlayer, single_accesses
from hwsim.dram.random_access.served import Served
from hwsim.dram.standards.load import STANDARDS, load_standard
from hwsim.errors import DramError
from hwsim.replay.memory_report import peak_bytes_per_s

SHIPPED = load_parameters()


def test_a_single_read_takes_activate_access_and_burst() -> None:
    # DDR4-2133: ACT at 0, RD at tRCD = 15, data through at + CL 15 + BL 4; HBM2: 14 + 14 + 2; GDDR6: 24 + 24 + 2
    assert [latency_of_one(name, write=False) for name in ("ddr4_2133", "hbm2", "gddr6")] == [34, 30, 50]


def test_a_single_write_takes_activate_access_and_burst() -> None:
    # tRCD (tRCDWR) + CWL + BL: 15 + 11 + 4, 14 + 4 + 2, 20 + 16 + 2
    assert [latency_of_one(name, write=True) for name in ("ddr4_2133", "hbm2", "gddr6")] == [30, 20, 38]


def latency_of_one(name: str, *, write: bool) -> int:
    channel = MemoryChannel(load_standard(name, refresh=False))
    return channel.play([Request(command="WR" if write else "RD", bank=0)], 0)


def test_a_row_conflict_waits_for_the_row_to_close() -> None:
    channel = MemoryChannel(load_standard("ddr4_2133", refresh=False), record=True)
    channel.play([Request(command="RD", bank=0, row=0), Request(command="RD", bank=0, row=1)], 0)
    # PRE waits tRAS 36, ACT tRP 15, RD tRCD 15
    assert [(entry.cycle, entry.command) for entry in channel.log] == [
        (0, "ACT"), (15, "RD"), (36, "PRE"), (51, "ACT"), (66, "RD"),
    ]  # fmt: skip


def test_a_hit_overtakes_an_older_conflict() -> None:
    channel = MemoryChannel(load_standard("ddr4_2133", refresh=False), record=True)
    rows = [Request(command="RD", bank=0, row=row, column=column) for row, column in ((0, 0), (1, 0), (0, 1))]
    channel.play(rows, 0)
    assert [(e.command, e.row, e.column) for e in channel.log] == [
        ("ACT", 0, -1), ("RD", 0, 0), ("RD", 0, 1), ("PRE", -1, -1), ("ACT", 1, -1), ("RD", 1, 0),
    ]  # fmt: skip


def test_the_oldest_is_bypassed_only_so_often() -> None:
    capped = load_parameters({"bypass_cap": 2})
    channel = MemoryChannel(load_standard("ddr4_2133", refresh=False), capped, record=True)
    rows = [(0, 0), (1, 0), *((0, column) for column in range(1, 8))]
    channel.play([Request(command="RD", bank=0, row=row, column=column) for row, column in rows], 0)
    assert [e.row for e in channel.log if e.command == "RD"] == [0, 0, 0, 1, 0, 0, 0, 0, 0]


def test_a_read_of_a_waiting_write_is_forwarded_and_a_write_behind_a_read_waits() -> None:
    channel = MemoryChannel(load_standard("ddr4_2133", refresh=False), record=True)
    one = {"bank": 0, "row": 0, "column": 5}
    channel.play([Request(command="RD", **one), Request(command="WR", **one), Request(command="RD", **one)], 0)  # type: ignore[arg-type]
    # the write is taken in the cycle after the read's access, 16, and waits
    # for the bus to turn: 15 + (CL 15 + BL 4 + 2 - CWL 11)
    assert [(e.cycle, e.command) for e in channel.log] == [(0, "ACT"), (15, "RD"), (25, "WR")]


def test_a_channel_is_a_channel_controller_whose_state_lives_on() -> None:
    channel = MemoryChannel(load_standard("ddr4_2133"), record=True)
    assert isinstance(channel, ChannelController)
    assert channel.play([Request(command="RD", bank=0)], 0) == 34
    # refreshes at 8,320 and 16,640 in the idle time close the row
    assert channel.play([Request(command="RD", bank=0)], 17_100) == 17_134
    assert channel.counts == {"ACT": 2, "PREA": 1, "RD": 2, "REFab": 2}
    assert [e.cycle for e in channel.log if e.command in ("PREA", "REFab")] == [8320, 8335, 16640]
    with pytest.raises(DramError, match="MAC16: a memory serves RD and WR"):
        MemoryChannel(load_standard("pim_gpt")).play([Request(command="MAC16")], 0)


def served(
    standard: Standard,
    pattern: str,
    requests: int,
    *,
    read_share: float = 1.0,
    channels: int = 1,
    mapping: str | None = None,
) -> Served:
    where = load_mapping(mapping, standard, channels)
    player = MemoryPlayer(where, SHIPPED, width=channels)
    chunks = generate(pattern, where, requests, read_share=read_share, seed=1)
    return player.play(coalesce(chunk) for chunk in chunks)


def bandwidth(standard: Standard, result: Served) -> float:
    return float(result.accesses * standard.column_bytes * standard.clock_hz / result.cycles)


@pytest.mark.parametrize("name", STANDARDS)
@pytest.mark.parametrize("read_share", [1.0, 0.0])
def test_streams_come_within_two_percent_of_what_the_timing_allows(name: str, read_share: float) -> None:
    standard = load_standard(name)
    result = served(standard, "stream", 100_000, read_share=read_share)
    refresh = standard.refresh
    assert refresh is not None
    # each refresh takes tRFC, and before it rows close (tRTP or write recovery, tRP) and open again after it (tRCD)
    p = standard.params
    around = p["nRP"] + max(p["nRTP"], p["nCWL"] + p["nBL"] + p["nWR"] if read_share == 0 else 0)
    share = 1 - (p["nRFC"] + around + max(v for k, v in p.items() if k.startswith("nRCD"))) / refresh.interval
    assert 0.98 * share <= bandwidth(standard, result) / peak_bytes_per_s(standard) <= 1
    quiet = standard.without_refresh()
    assert bandwidth(quiet, served(quiet, "stream", 100_000, read_share=read_share)) / peak_bytes_per_s(quiet) >= 0.98


def test_no_refresh_comes_behind_the_last_request() -> None:
    """The host waited until it could offer again, and only then saw that there were no more requests."""
    standard = load_standard("ddr4_2133")
    assert standard.refresh
    standard = replace(standard, refresh=replace(standard.refresh, interval=1074))
    player = MemoryPlayer(load_mapping(None, standard, 1), SHIPPED, every=90)
    reads = single_accesses(np.zeros(12, dtype=np.bool_), np.zeros(12, dtype=np.int64))
    result = player.play([reads, reads[:0]])
    assert (result.cycles, result.commands) == (11 * 90 + 19, {"ACT": 1, "RD": 12})


def test_a_stream_misses_once_a_row() -> None:
    standard = load_standard("ddr4_2133", refresh=False)
    result = served(standard, "stream", 128 * 500)
    assert (result.row_hit_rate, result.commands["ACT"]) == (127 / 128, 500)


def test_a_stream_through_one_bank_pays_the_longer_distance_and_every_row() -> None:
    standard = load_standard("ddr4_2133", refresh=False)
    result = served(standard, "stream", 128 * 64, mapping="ChRaBaRoCo")
    # a row: 127 spacings of tCCD_L 6, then tRTP 8 + tRP 15 + tRCD 15 to the next; tRCD before, CL + BL after
    assert result.cycles == 15 + 63 * (127 * 6 + 38) + 127 * 6 + 19


@pytest.mark.parametrize("name", ["ddr4_2133", "gddr6", "hbm2"])
def test_random_reads_stay_within_the_arithmetic_of_rows(name: str) -> None:
    standard = load_standard(name, refresh=False)
    result = served(standard, "random", 30_000)
    p = standard.params
    activates = result.commands["ACT"]
    assert activates >= 0.99 * 30_000
    # no faster than tRRD, four per tFAW, and tRC in each of 16 banks allow
    least = max(p["nRRDS"], p["nFAW"] / 4, (p["nRAS"] + p["nRP"]) / 16)
    assert result.cycles >= (activates - 16) * least
    # and with 32 requests in sight no more than 1.6 times as long
    assert result.cycles <= 1.6 * activates * least


def test_random_reads_of_one_bank_take_a_row_cycle_each() -> None:
    standard = load_standard("ddr4_2133", refresh=False)
    channel = MemoryChannel(standard)
    end = channel.play([Request(command="RD", bank=0, row=row) for row in range(1000)], 0)
    # tRC = tRAS 36 + tRP 15 for each but the last, which takes its 34 cycles
    assert end == 999 * 51 + 34


@given(
    name=st.sampled_from(["ddr4_2133", "gddr6", "hbm2"]),
    pattern=st.sampled_from(["stream", "random"]),
    read_share=st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=10)
def test_two_channels_are_faster_than_one_and_refresh_slows_none_down_much(
    name: str, pattern: str, read_share: float
) -> None:
    standard = load_standard(name)
    quiet = standard.without_refresh()
    one = served(standard, pattern, 20_000, read_share=read_share).cycles
    assert served(standard, pattern, 20_000, read_share=read_share, channels=2).cycles < 0.6 * one
    assert served(quiet, pattern, 20_000, read_share=read_share).cycles < one


def test_mixed_traffic_is_drained_in_turns_and_nobody_starves() -> None:
    standard = load_standard("ddr4_2133", refresh=False)
    result = served(standard, "random", 20_000, read_share=0.1)
    # a read may meet a drain of 32 writes each a row cycle apart, with 16 bypasses; never the whole trace
    assert result.read_latencies.cycles.max() < 5_000
    assert 0.02 < result.read_latencies.total / 20_000 < 0.2

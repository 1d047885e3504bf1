"""What the timing allows: limits by hand, row visits by brute force, and that no run is faster than its limit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.random_access.coalesce import coalesce
from hwsim.dram.random_access.limits import Limit, limit, limits, refresh_share
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.random_access.patterns import generate
from hwsim.dram.random_access.player import MemoryPlayer
from hwsim.dram.random_access.requests import untimed
from hwsim.dram.random_access.row_visits import RowVisits
from hwsim.dram.random_access.served import Served
from hwsim.dram.standards.load import STANDARDS, load_standard

SHIPPED = load_parameters()
WINDOW = SHIPPED.read_queue + SHIPPED.write_queue


def played(name: str, pattern: str, requests: int, *, read_share: float | None = 1.0) -> tuple[Served, RowVisits]:
    where = load_mapping(None, load_standard(name), 1)
    player, visits = MemoryPlayer(where, SHIPPED), RowVisits(where, WINDOW)
    chunks = list(generate(pattern, where, requests, read_share=read_share))
    for chunk in chunks:
        visits.add(chunk)
    return player.play(coalesce(chunk) for chunk in chunks), visits


def strictest(name: str, pattern: str, requests: int, *, read_share: float | None = 1.0) -> Limit:
    served, visits = played(name, pattern, requests, read_share=read_share)
    return limit(load_standard(name), served, visits.counts)


def test_streams_are_limited_by_the_data_bus() -> None:
    # 9,999 bursts of 4 cycles, then CL 15 or CWL 11 and a burst
    assert strictest("ddr4_2133", "stream", 10_000) == ("data bus", 9_999 * 4 + 19)
    assert strictest("ddr4_2133", "stream", 10_000, read_share=0.0) == ("data bus", 9_999 * 4 + 15)
    assert strictest("ddr4_2133", "copy", 10_000, read_share=None) == ("data bus", 9_999 * 4 + 15)


def test_random_reads_are_limited_by_activates() -> None:
    served, visits = played("hbm2", "random", 10_000)
    assert visits.counts.sum() > 9_990
    # four activates in 30 cycles
    activates = int(np.minimum(visits.counts, served.bank_activates).sum())
    assert limit(load_standard("hbm2"), served, visits.counts) == (
        "4 activates of one channel",
        (activates - 1) // 4 * 30,
    )


def test_strides_through_one_bank_group_are_limited_by_it_or_by_their_rows() -> None:
    # 8 KiB: four accesses of a row in bank group 0, tCCD_L 6 apart
    assert strictest("ddr4_2133", "stride:8192", 10_000) == ("accesses of one bankgroup", 9_999 * 6 + 19)
    # 512 KiB: always bank 0, a row each: 9,999 row cycles of tRAS 36 + tRP 15
    assert strictest("ddr4_2133", "stride:524288", 10_000) == ("row cycle of one bank", 9_999 * 51)


def test_rows_that_were_opened_in_vain_count_against_the_controller() -> None:
    served, visits = played("hbm2", "copy", 20_480, read_share=None)
    assert visits.counts.sum() == 2 * 10_240 // 16  # each row of 16 columns once
    assert served.activates > visits.counts.sum()
    assert limit(load_standard("hbm2"), served, visits.counts).name == "data bus"


def test_refresh_takes_its_share() -> None:
    assert refresh_share(load_standard("ddr4_2133")) == 374 / 8320
    assert refresh_share(load_standard("ddr4_2133", refresh=False)) == 0


@given(
    name=st.sampled_from(STANDARDS),
    pattern=st.sampled_from(["stream", "random", "stride:4160", "stride:8192", "stride:131136", "copy", "local:4"]),
    read_share=st.sampled_from([0.0, 0.67, 1.0]),
    requests=st.sampled_from([1, 7, 100, 3000]),
)
@settings(max_examples=40)
def test_nothing_is_faster_than_its_limit(name: str, pattern: str, read_share: float, requests: int) -> None:
    standard = load_standard(name)
    share = None if pattern == "copy" else read_share
    served, visits = played(name, pattern, requests, read_share=share)
    for each in limits(standard, served, visits.counts):
        assert each.cycles <= served.cycles, each


@given(
    blocks=st.lists(st.integers(0, 63), max_size=60),
    window=st.integers(2, 8),
    channels=st.sampled_from([1, 2]),
)
def test_visits_are_those_that_the_rule_says(blocks: list[int], window: int, channels: int) -> None:
    standard = replace(load_standard("ddr4_2133"), levels=(("channel", 1), ("bank", 2)), rows=16, columns=2)
    where = load_mapping("RoBaRaCoCh", standard, channels)
    addresses = np.array(blocks, dtype=np.int64) * 64
    visits = RowVisits(where, window)
    cut = len(blocks) // 2
    for part in (addresses[:cut], addresses[cut:]):
        visits.add(untimed(np.zeros(len(part), dtype=np.bool_), part))
    places = [where.place(int(address)) for address in addresses]
    expected = np.zeros_like(visits.counts)
    for channel in range(channels):
        mine = [place for place in places if place.channel == channel]
        for i, place in enumerate(mine):
            used = any((p.bank, p.row) == (place.bank, place.row) for p in mine[max(0, i - window) : i])
            rows = [p.row for p in mine[:i] if p.bank == place.bank]
            if not used and rows[-1:] != [place.row]:
                expected[channel, place.bank] += 1
    assert visits.counts.tolist() == expected.tolist()
    assert visits.requests == len(blocks)


@pytest.mark.parametrize("name", STANDARDS)
def test_random_reads_come_near_to_what_the_timing_allows(name: str) -> None:
    served, visits = played(name, "random", 20_000)
    standard = load_standard(name)
    assert limit(standard, served, visits.counts).cycles / served.cycles / (1 - refresh_share(standard)) > 0.6

"""Overlapped programs: the fast player equals the reference, and the data are right."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order.causes import CAUSES
from hwsim.dram.in_order.overlap.flow_checker import first_broken_flow
from hwsim.dram.in_order.overlap.package import OverlappedPackage
from hwsim.dram.in_order.overlap.reference import OverlapReferenceChannel
from hwsim.dram.in_order.package import Package, PackageProgram
from hwsim.dram.in_order.program import Request, encode
from hwsim.dram.standards.load import load_standard
from hwsim.errors import DramError
from hwsim.machines.pim_gpt.requests import RequestBuilder
from hwsim.mapping.formats import BF16
from hwsim.mapping.pim import MatrixPlacement, PimTarget
from tests.dram.strategies import requests as any_request

STREAMS = ("WRGB", "MAC16", "RDMAC16", "WR", "WRA16")


def streams(standard: Standard, accumulators: int) -> st.SearchStrategy[list[Request]]:
    """Programs of fills, accesses and drains in any order."""
    known = any_request(standard).filter(lambda request: request.command in STREAMS)
    return st.lists(known.map(lambda request: _drain_at_most(request, accumulators)), max_size=8)


def _drain_at_most(request: Request, accumulators: int) -> Request:
    return replace(request, count=min(request.count, accumulators)) if request.command == "RDMAC16" else request


@given(data=st.data())
@settings(max_examples=150)
def test_a_channel_equals_the_reference(data: st.DataObject) -> None:
    timing = data.draw(st.sampled_from([{}, {"tMAC_ns": 4}, {"tBL_ns": 2, "tCWLGB_ns": 7}, {"tCCD_ns": 2}]))
    standard = load_standard("pim_gpt", refresh=data.draw(st.booleans()), timing=timing)
    accumulators = data.draw(st.sampled_from([1, 2, 5, 32]))
    first_refresh = data.draw(st.one_of(st.none(), st.integers(0, 500)))
    fast = OverlappedPackage(standard, 1, accumulators, first_refresh=first_refresh, record=True)
    slow = OverlapReferenceChannel(standard, accumulators, first_refresh=first_refresh)
    start = 0
    for _ in range(data.draw(st.integers(1, 3))):
        requests = data.draw(streams(standard, accumulators))
        ready = start + data.draw(st.integers(0, 300))
        begun = len(slow.log)
        finish = slow.play(requests, start, ready)
        causes = np.zeros(len(CAUSES), dtype=np.int64)
        since = start + data.draw(st.integers(0, 400))
        program = PackageProgram.of([encode(requests, standard)])
        played = fast.play_overlapped(program, start, ready=ready, since=since, causes=causes)
        assert fast.logs[0] == slow.log
        assert played.finish == finish
        assert played.drains[0].tolist() == slow.drains
        assert causes.sum() == max(0, finish - since)
        assert first_broken_flow(slow.log[begun:], requests, standard, accumulators) is None
        start = max(start, slow.log[-1].cycle + 1) if slow.log else start
    assert (fast.column_accesses, fast.row_hits) == (slow.column_accesses, slow.row_hits)
    assert first_violation(fast.logs[0], standard.without_hazards()) is None


@given(data=st.data())
@settings(max_examples=40)
def test_channels_that_share_a_state_equal_channels_apart(data: st.DataObject) -> None:
    standard = load_standard("pim_gpt")
    package = OverlappedPackage(standard, 4, 5, first_refresh=700, record=True)
    apart = [OverlapReferenceChannel(standard, 5, first_refresh=700) for _ in range(4)]
    start = 0
    for _ in range(data.draw(st.integers(1, 4))):
        some = data.draw(st.lists(streams(standard, 5), min_size=1, max_size=2))
        of = [some[data.draw(st.integers(0, len(some) - 1))] for _ in range(4)]
        ready = start + data.draw(st.integers(0, 2000))
        played = package.play_overlapped(PackageProgram.of([encode(r, standard) for r in of]), start, ready=ready)
        assert played.finish == max(
            channel.play(requests, start, ready) for channel, requests in zip(apart, of, strict=True)
        )
        for drains, channel in zip(played.drains, apart, strict=True):
            assert drains[: len(channel.drains)].tolist() == channel.drains
        start = max(start, *(channel.log[-1].cycle + 1 if channel.log else 0 for channel in apart))
        assert played.free == start
    assert package.logs == [channel.log for channel in apart]


@given(
    inputs=st.sampled_from([40, 64, 100, 768, 1024, 1600]),
    outputs=st.sampled_from([17, 64, 500]),
    vectors=st.integers(1, 3),
    channels=st.integers(1, 3),
    accumulators=st.sampled_from([4, 32]),
    row_reuse=st.booleans(),
    transfers=st.integers(1, 2),
)
@settings(max_examples=60)
def test_no_matrix_takes_longer_than_in_order(
    inputs: int, outputs: int, vectors: int, channels: int, accumulators: int, row_reuse: bool, transfers: int
) -> None:
    standard = load_standard("pim_gpt", refresh=False)
    target = PimTarget(
        machine="tiny",
        channels=channels, banks=16, rows=16384, columns=64, lanes=16, buffer_elements=1024, sram_bytes=1 << 17,
        score_bytes=4, fmt=BF16,
    )  # fmt: skip
    builder = RequestBuilder(
        standard=standard, accumulators=accumulators, row_reuse=row_reuse, transfers_a_result=transfers
    )
    program = builder.linear(MatrixPlacement.place("w", inputs, outputs, 0, target), vectors)
    in_order = Package(standard, channels).play(program, 0)
    assert OverlappedPackage(standard, channels, accumulators).play_overlapped(program, 0).finish <= in_order


def test_accesses_chase_the_transfers_that_they_read() -> None:
    standard = load_standard("pim_gpt", refresh=False)
    package = OverlappedPackage(standard, 1, 32, record=True)
    program = [Request(command="WRGB", count=3), Request(command="MAC16", count=6), Request(command="RDMAC16", count=2)]
    # ACT16 and a first transfer of nCWLGB + nBL 3 cycles long before the row is open at nRCD 24
    assert package.play_overlapped(PackageProgram.of([encode(program, standard)]), 0).finish == 24 + 6 * 2 + 2 + 2
    assert [f"{entry.cycle} {entry.command}" for entry in package.logs[0]] == [
        "0 ACT16", "1 WRGB", "3 WRGB", "5 WRGB",
        "24 MAC16", "26 MAC16", "28 MAC16", "30 MAC16", "32 MAC16", "34 MAC16",
        "36 RDMAC16", "38 RDMAC16",
    ]  # fmt: skip
    # the next program finds its row open and sends from cycle 100 on: accesses follow each transfer by 3 cycles
    played = package.play_overlapped(PackageProgram.of([encode(program, standard)]), 39, ready=100)
    assert [f"{entry.cycle} {entry.command}" for entry in package.logs[0][12:18]] == [
        "100 WRGB", "102 WRGB", "103 MAC16", "104 WRGB", "105 MAC16", "107 MAC16",
    ]  # fmt: skip
    # results are read when no access can be issued; the pins turn in nCWLGB + nBL + nWTR = 12 cycles
    assert played.drains.tolist() == [[104 + 12 + 2, 120]]


def test_an_overlapped_package_is_played_as_any_other() -> None:
    program = [Request(command="WRGB", count=3), Request(command="MAC16", count=6), Request(command="RDMAC16", count=2)]
    package = OverlappedPackage(load_standard("pim_gpt", refresh=False), 2, 32)
    causes = np.zeros(len(CAUSES), dtype=np.int64)
    encoded = encode(program, package.standard)
    assert package.play(PackageProgram.of([encoded, encoded]), 100, row_base=3, causes=causes) == 100 + 40
    assert dict(zip(CAUSES, causes.tolist(), strict=True)) == {
        "compute": 12,
        "row": 24,
        "write": 0,
        "io": 4,
        "refresh": 0,
    }


def test_results_wait_for_a_free_accumulator() -> None:
    standard = load_standard("pim_gpt", refresh=False)
    package = OverlappedPackage(standard, 1, 1, record=True)
    one = [Request(command="MAC16", count=2), Request(command="RDMAC16", count=1)]
    two = [Request(command="MAC16", column=2, count=2), Request(command="RDMAC16", count=1)]
    package.play_overlapped(PackageProgram.of([encode([*one, *two], standard)]), 0)
    assert [f"{entry.cycle} {entry.command}" for entry in package.logs[0]] == [
        "0 ACT16", "24 MAC16", "26 MAC16", "28 RDMAC16", "30 MAC16", "32 MAC16", "34 RDMAC16",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (["24 MAC16", "30 WRGB"], "column 0 does not hold transfer 0"),
        (["20 WRGB", "22 MAC16"], "transfer 0 is still under way"),
        (["1 WRGB", "24 MAC16", "25 WRGB"], "column 0 is still read by access 0"),
        (["1 WRGB", "24 MAC16", "30 WRGB", "40 MAC16"], "the accumulator of result 1 still holds another"),
        (["1 WRGB", "20 RDMAC16"], "result 0 is not complete"),
        (["1 WRGB", "24 MAC16"], "found (1, 1, 0) fills, computing accesses and drains, expected (2, 2, 2)"),
    ],
)
def test_the_flow_checker_names_what_goes_wrong(broken: list[str], message: str) -> None:
    standard = load_standard("pim_gpt", refresh=False)
    once = [Request(command="WRGB"), Request(command="MAC16"), Request(command="RDMAC16")]
    log = [LoggedCommand(cycle=int(cycle), command=name) for cycle, name in (line.split() for line in broken)]
    found = first_broken_flow(log, once * 2, standard, 1)
    assert found is not None
    assert found.endswith(message)


def test_a_standard_without_a_vector_buffer_has_no_streams() -> None:
    with pytest.raises(DramError, match="ddr4_2133 has no single register command to write, so no streams"):
        OverlappedPackage(load_standard("ddr4_2133"), 1, 32)


def test_more_results_than_accumulators_are_refused_by_the_reference() -> None:
    standard = load_standard("pim_gpt")
    with pytest.raises(DramError, match="3 results wait in 2 accumulators to be read"):
        OverlapReferenceChannel(standard, 2).play([Request(command="MAC16"), Request(command="RDMAC16", count=3)], 0)

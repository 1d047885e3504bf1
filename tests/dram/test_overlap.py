"""Overlapped programs: the fast player equals the reference, and the data are right."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.checker import first_violation
from hwsim.dram.fast import PackageProgram
from hwsim.dram.flow_checker import first_broken_flow
from hwsim.dram.kernel import CAUSES
from hwsim.dram.overlap import OverlappedPackage
from hwsim.dram.overlap_reference import OverlapReferenceChannel
from hwsim.dram.program import Request, encode
from hwsim.dram.standard import Standard, load_standard
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

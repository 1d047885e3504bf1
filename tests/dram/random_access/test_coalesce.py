"""Requests become runs that are the same requests."""

from itertools import chain, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.dram.random_access.coalesce import coalesce
from hwsim.dram.random_access.fields import NOBODY, RunField
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.random_access.player import MemoryPlayer
from hwsim.dram.random_access.requests import NO_ARRIVAL, Requests
from hwsim.dram.random_access.served import Served
from hwsim.dram.standards.load import load_standard

Request = tuple[bool, int, int]


def requests_of(each: list[Request]) -> Requests:
    writes, addresses, arrivals = zip(*each, strict=True) if each else ((), (), ())
    return Requests(
        np.array(writes, dtype=np.bool_), np.array(addresses, dtype=np.int64), np.array(arrivals, dtype=np.int64)
    )


def reads(*addresses: int) -> Requests:
    return requests_of([(False, address, NO_ARRIVAL) for address in addresses])


def expand(runs: np.ndarray) -> list[Request]:
    return [
        (
            bool(run[RunField.WRITE]),
            int(run[RunField.ADDRESS] + beat * run[RunField.STRIDE]),
            int(run[RunField.ARRIVAL]) if run[RunField.TIMED] else NO_ARRIVAL,
        )
        for run in runs
        for beat in range(run[RunField.COUNT])
    ]


def shapes(requests: Requests) -> list[tuple[int, int, int]]:
    """(address, stride, count) of each run."""
    return [tuple(row) for row in coalesce(requests)[:, [RunField.ADDRESS, RunField.STRIDE, RunField.COUNT]].tolist()]


def test_a_series_is_one_run() -> None:
    assert shapes(reads(0, 64, 128, 192)) == [(0, 64, 4)]
    assert shapes(reads(192, 128, 64)) == [(192, -64, 3)]
    assert shapes(reads(5, 5, 5)) == [(5, 0, 3)]


def test_two_accesses_are_no_series_and_two_series_share_no_request() -> None:
    assert shapes(reads(0, 64)) == [(0, 0, 1), (64, 0, 1)]
    assert shapes(reads(0, 1, 2, 12, 22, 32)) == [(0, 1, 3), (12, 10, 3)]
    assert shapes(reads(0, 1, 2, 12, 22)) == [(0, 1, 3), (12, 10, 2)]
    assert shapes(reads(7, 0, 1, 2, 50, 3)) == [(7, 0, 1), (0, 1, 3), (50, 0, 1), (3, 0, 1)]


def test_kinds_and_arrivals_end_a_run() -> None:
    mixed = [(False, k, NO_ARRIVAL) for k in range(3)] + [(True, k, NO_ARRIVAL) for k in range(3, 6)]
    assert shapes(requests_of(mixed)) == [(0, 1, 3), (3, 1, 3)]
    timed = [(False, k, 9) for k in range(3)] + [(False, k, 10) for k in range(3, 6)]
    runs = coalesce(requests_of(timed))
    assert runs[:, [RunField.ARRIVAL, RunField.TIMED]].tolist() == [[9, 1], [10, 1]]
    assert runs[:, [RunField.SIZE, RunField.TICKET, RunField.BEATS]].tolist() == [[1, NOBODY, 0]] * 2


# few values, so that series are common
EACH = st.tuples(st.booleans(), st.integers(0, 4), st.just(NO_ARRIVAL) | st.integers(0, 2))
SERIES = st.tuples(EACH, st.integers(-3, 3), st.integers(1, 6)).map(
    lambda drawn: [(drawn[0][0], 100 + drawn[0][1] + k * drawn[1], drawn[0][2]) for k in range(drawn[2])]
)


@given(
    each=st.lists(EACH.map(lambda one: [one]) | SERIES, max_size=12).map(lambda parts: list(chain.from_iterable(parts)))
)
def test_expanding_the_runs_gives_the_requests_back(each: list[Request]) -> None:
    runs = coalesce(requests_of(each))
    assert expand(runs) == each
    counts = runs[:, RunField.COUNT]
    # no run could take the first request of the next, unless that begins a series of its own
    for run, following in pairwise(runs):
        first = expand(following[None])[0]
        beats = expand(run[None])
        if len(beats) > 1:
            assert (*beats[-1][:1], beats[-1][1] + run[RunField.STRIDE], beats[-1][2]) != first
    assert counts.sum() == len(each)


def test_the_memory_serves_runs_as_it_serves_the_requests_one_by_one() -> None:
    draw = np.random.default_rng(0)
    each: list[Request] = []
    cycle = 0
    for _ in range(300):
        first, stride, timed = int(draw.integers(1 << 20)) * 64, int(draw.integers(-2, 6)) * 64, draw.random() < 0.5
        cycle += int(draw.integers(60))
        write, count = bool(draw.random() < 0.4), int(draw.integers(1, 9))
        each += [(write, (1 << 27) + first + k * stride, cycle if timed else NO_ARRIVAL) for k in range(count)]
    requests = requests_of(each)
    one_by_one = np.concatenate([coalesce(requests_of([one])) for one in each])
    assert len(coalesce(requests)) < len(one_by_one) / 2
    assert outcome(coalesce(requests)) == outcome(one_by_one)


def outcome(runs: np.ndarray) -> tuple[object, ...]:
    player = MemoryPlayer(load_mapping(None, load_standard("ddr4_2133"), 1), load_parameters())
    served: Served = player.play([runs])
    histograms = [served.read_latencies, served.write_latencies, served.read_responses, served.write_responses]
    return served.cycles, served.commands, [(h.cycles.tolist(), h.counts.tolist()) for h in histograms]

"""Channels: back-pressure, ping-pong, clocks, ends; and the library's store as an oracle."""

from collections.abc import Generator
from typing import Any

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from hwsim.engine.pipeline import Pace, Pipeline
from hwsim.engine.port import In, Out, Steps, StreamEndedError, connect, double_buffer
from hwsim.engine.trace import Cause
from hwsim.engine.unit import Unit
from hwsim.errors import WiringError
from tests.engine.parts import Sink, Source, Stage, diagram, timelines


def test_a_full_channel_holds_its_producer_back() -> None:
    board = diagram()
    source, sink = Source(board, "source", [1, 1, 1, 1]), Sink(board, "sink", [10, 10, 10, 10])
    channel = connect(source.out, sink.x, depth=1)
    assert board.run() == 41
    assert timelines(board) == {
        "source": [
            (0, 1, "item 0"),
            (1, 2, "item 1"),
            (2, 3, "item 2"),
            (3, 11, "out is full"),
            (11, 12, "item 3"),
            (12, 21, "out is full"),
        ],
        "sink": [
            (0, 1, "waits for x"),
            (1, 11, "item 0"),
            (11, 21, "item 1"),
            (21, 31, "item 2"),
            (31, 41, "item 3"),
        ],
    }
    assert (source.busy, source.stalls) == (4, {Cause("output", "out"): 17})
    assert (sink.busy, sink.stalls) == (40, {Cause("input", "x"): 1})
    assert channel.most_filled == 1


def test_a_deeper_channel_holds_more_and_says_how_many_places_it_took() -> None:
    board = diagram()
    source, sink = Source(board, "source", [1, 1, 1, 1]), Sink(board, "sink", [10, 1, 1, 1])
    channel = connect(source.out, sink.x, depth=8)
    assert board.run() == 14
    assert source.stalls == {}
    assert channel.most_filled == 3


class Loader(Source):
    """Fills a bank while it owns it."""

    def run(self) -> Steps[None]:
        for item, cycles in enumerate(self.cycles):
            yield from self.out.claim()
            yield from self.labour(cycles, item)
            self.out.fill(item)


class Reader(Sink):
    """Works on a bank in place."""

    def run(self) -> Steps[None]:
        for cycles in self.cycles:
            item = yield from self.x.take()
            yield from self.labour(cycles, item)
            self.x.release()


def test_ping_pong_hides_loading() -> None:
    board = diagram()
    loader, reader = Loader(board, "loader", [10, 10, 10, 10]), Reader(board, "reader", [12, 12, 12, 12])
    banks = double_buffer(loader.out, reader.x)
    assert board.run() == 10 + 4 * 12
    assert timelines(board) == {
        "loader": [
            (0, 10, "item 0"),
            (10, 20, "item 1"),
            (20, 22, "out is full"),
            (22, 32, "item 2"),
            (32, 34, "out is full"),
            (34, 44, "item 3"),
        ],
        "reader": [
            (0, 10, "waits for x"),
            (10, 22, "item 0"),
            (22, 34, "item 1"),
            (34, 46, "item 2"),
            (46, 58, "item 3"),
        ],
    }
    assert banks.most_filled == 2


def test_loading_that_takes_longer_is_what_the_reader_waits_for() -> None:
    board = diagram()
    loader, reader = Loader(board, "loader", [10, 10, 10]), Reader(board, "reader", [4, 4, 4])
    double_buffer(loader.out, reader.x)
    assert board.run() == 3 * 10 + 4
    assert reader.stalls == {Cause("input", "x"): 10 + 6 + 6}


def test_a_unit_on_another_clock_waits_for_its_edge_and_the_place_stays_filled_until_then() -> None:
    board = diagram(fast=10, slow=2)  # 1 and 5 ticks a cycle
    source = Source(board, "source", [3, 3, 3], board.clocks["fast"])
    sink = Sink(board, "sink", [1, 1, 1], board.clocks["slow"])
    connect(source.out, sink.x, depth=1)
    assert board.run() == 20
    assert timelines(board) == {
        "source": [(0, 3, "item 0"), (3, 6, "item 1"), (6, 9, "item 2"), (9, 10, "out is full")],
        "sink": [(0, 5, "waits for x"), (5, 10, "item 0"), (10, 15, "item 1"), (15, 20, "item 2")],
    }


def test_a_stage_ends_with_its_stream() -> None:
    board = diagram()
    source = Source(board, "source", [1, 1])
    stage, sink = Stage(board, "stage", [1] * 99), Sink(board, "sink", [1] * 99)
    connect(source.out, stage.x, depth=1)
    connect(stage.y, sink.x, depth=1)
    assert board.run() == 4
    assert (stage.handed_over, sink.handed_over) == ([2, 3], [3, 4])
    assert sink.stalls == {Cause("input", "x"): 2}  # waiting for an end is no stall


class Counter(Unit):
    """Notices the end of its stream and sends the number of items."""

    x = In[int]()
    total = Out[int]()

    def run(self) -> Steps[None]:
        came = 0
        try:
            while True:
                yield from self.x.get()
                came += 1
        except StreamEndedError:
            yield from self.total.put(came)


def test_a_unit_may_work_on_after_the_end_of_its_stream() -> None:
    board = diagram()
    source, sink = Source(board, "source", [1] * 5), Sink(board, "sink", [1])
    counter = Counter(board, "counter", board.clocks["clk"], source="a test")
    connect(source.out, counter.x, depth=1)
    connect(counter.total, sink.x, depth=1)
    board.run()
    assert timelines(board)["sink"] == [(0, 5, "waits for x"), (5, 6, "item 5")]


GAPS = st.lists(st.integers(0, 5), min_size=1, max_size=12)


@given(GAPS, st.data(), st.integers(1, 4))
def test_on_one_clock_it_is_simpys_store(gaps: list[int], data: st.DataObject, depth: int) -> None:
    rests = data.draw(st.lists(st.integers(0, 5), min_size=len(gaps), max_size=len(gaps)))
    board = diagram()
    source, sink = Source(board, "source", gaps), Sink(board, "sink", rests)
    connect(source.out, sink.x, depth=depth)
    board.run()
    assert (source.handed_over, sink.handed_over) == _with_a_store(gaps, rests, depth)


def _with_a_store(gaps: list[int], rests: list[int], depth: int) -> tuple[list[Any], list[Any]]:
    env = simpy.Environment()
    store = simpy.Store(env, capacity=depth)
    put: list[Any] = []
    done: list[Any] = []

    def producer() -> Generator[simpy.Event, Any, None]:
        for item, gap in enumerate(gaps):
            yield env.timeout(gap)
            yield store.put(item)
            put.append(env.now)

    def consumer() -> Generator[simpy.Event, Any, None]:
        for item, rest in enumerate(rests):
            assert (yield store.get()) == item
            yield env.timeout(rest)
            done.append(env.now)

    env.process(producer())
    env.process(consumer())
    env.run()
    return put, done


def _pair() -> tuple[Source, Sink]:
    board = diagram()
    return Source(board, "source", [1]), Sink(board, "sink", [1])


def test_banks_are_claimed_and_released_and_nothing_else() -> None:
    source, sink = _pair()
    double_buffer(source.out, sink.x)
    with pytest.raises(WiringError, match=r"port sink.x: a bank is read where it lies; take it, and release it when"):
        next(sink.x.get())
    with pytest.raises(WiringError, match=r"port source.out: a bank is claimed before it is filled; claim it, and"):
        next(source.out.put(1))
    with pytest.raises(WiringError, match=r"channel source.out -> sink.x: filled without a claim"):
        source.out.fill(1)
    with pytest.raises(WiringError, match=r"channel source.out -> sink.x: released without a take"):
        sink.x.release()


def test_a_pipeline_fills_no_banks() -> None:
    board = diagram()
    pace = Pace(interval=1, latency=3)
    pipeline = Pipeline(board, "pipeline", board.clocks["clk"], source="a test", pace=pace)
    sink = Sink(board, "sink", [1])
    with pytest.raises(WiringError, match=r"port pipeline\.y: has stages for items on their way, and cannot fill a"):
        double_buffer(pipeline.y, sink.x)


def test_a_channel_has_room_for_something() -> None:
    source, sink = _pair()
    with pytest.raises(WiringError, match=r"channel source.out -> sink.x: depth must be at least 1, got 0"):
        connect(source.out, sink.x, depth=0)

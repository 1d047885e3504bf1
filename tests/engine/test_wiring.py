"""What a diagram refuses, before it runs and when its units block each other."""

import pytest

from hwsim.engine.arbiter import Master
from hwsim.engine.clock import TimeBase
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import In, Out, Steps, connect, double_buffer
from hwsim.engine.unit import Unit
from hwsim.errors import UserError, WiringError
from tests.engine.parts import Sink, Source, Stage, diagram


def test_an_unconnected_port_is_named() -> None:
    board = diagram()
    source, stage = Source(board, "source", [1]), Stage(board, "stage", [1])
    connect(source.out, stage.x, depth=1)
    with pytest.raises(WiringError, match=r"^port stage\.y: is not connected$"):
        board.run()
    with pytest.raises(UserError, match=r"^port stage\.y: is not connected$"):
        stage.y.fill(0)


def test_a_port_is_connected_once() -> None:
    board = diagram()
    source, sink, other = Source(board, "source", [1]), Sink(board, "sink", [1]), Sink(board, "other", [1])
    connect(source.out, sink.x, depth=1)
    with pytest.raises(
        WiringError, match=r"^port source\.out: is connected to sink\.x already, and cannot be to other"
    ):
        connect(source.out, other.x, depth=1)
    second = Source(board, "second", [1])
    with pytest.raises(
        WiringError, match=r"^port sink\.x: is connected to source\.out already, and cannot be to second"
    ):
        connect(second.out, sink.x, depth=1)
    assert board.dump() == (
        "unit source: source: a test; clock clk 1 MHz\n"
        "unit sink: source: a test; clock clk 1 MHz\n"
        "unit other: source: a test; clock clk 1 MHz\n"
        "unit second: source: a test; clock clk 1 MHz\n"
        "channel source.out -> sink.x: depth 1\n"
    )


def test_units_of_two_diagrams_do_not_meet() -> None:
    with pytest.raises(WiringError, match=r"ports source\.out and sink\.x: belong to units of two diagrams"):
        connect(Source(diagram(), "source", [1]).out, Sink(diagram(), "sink", [1]).x, depth=1)


def test_a_name_is_one_units_and_one_ports() -> None:
    board = diagram()
    source = Source(board, "source", [1])
    with pytest.raises(WiringError, match="two units are called source"):
        Sink(board, "source", [1])
    with pytest.raises(WiringError, match="unit source: has two ports called out"):
        source.add_port("out", Out[int]())


def test_each_unit_has_ports_of_its_own() -> None:
    board = diagram()
    one, two = Source(board, "one", [1]), Source(board, "two", [1])
    assert (str(one.out), str(two.out)) == ("one.out", "two.out")


class TwoStreams(Unit):
    """Hands out three items of `a`, then three of `b`."""

    a = Out[int]()
    b = Out[int]()

    def run(self) -> Steps[None]:
        for port in (self.a, self.b):
            for item in range(3):
                yield from self.occupy(2, kind="work", name="make")
                yield from port.put(item)


class Pairs(Unit):
    """Takes an item of each alternately."""

    a = In[int]()
    b = In[int]()

    def run(self) -> Steps[None]:
        while True:
            yield from self.a.get()
            yield from self.b.get()


def _pairs(depth: int) -> Diagram:
    board = diagram()
    clock = board.clocks["clk"]
    streams, pairs = TwoStreams(board, "streams", clock, source="a test"), Pairs(board, "pairs", clock, source="a test")
    connect(streams.a, pairs.a, depth=depth)
    connect(streams.b, pairs.b, depth=1)
    return board


def test_units_that_wait_for_each_other_are_named_with_what_they_wait_for() -> None:
    assert _pairs(2).run() == 12
    with pytest.raises(WiringError) as caught:
        _pairs(1).run()
    assert str(caught.value) == (
        "deadlock after tick 6: streams waits for room at streams.a to pairs (1 of 1 places are filled); "
        "pairs waits for input at pairs.b from streams"
    )


def test_a_unit_that_nobody_serves_any_more_is_named() -> None:
    board = diagram()
    source, sink = Source(board, "source", [1, 1, 1]), Sink(board, "sink", [1])
    connect(source.out, sink.x, depth=1)
    with pytest.raises(WiringError, match=r"source waits for room at source\.out to sink, which has ended, \(1 of 1"):
        board.run()


class Sleeper(Unit):
    def run(self) -> Steps[None]:
        yield self.env.event()


def test_what_stands_still_without_a_port_is_named_too() -> None:
    board = diagram()
    Sleeper(board, "sleeper", board.clocks["clk"], source="a test")

    def sequence() -> Steps[None]:
        yield board.env.event()

    with pytest.raises(WiringError) as caught:
        board.run(sequence())
    assert str(caught.value) == "deadlock after tick 0: sleeper waits for an event that is no port's; sequence waits"


def test_items_that_nobody_takes_are_an_error() -> None:
    board = diagram()
    source, sink = Source(board, "source", [1, 1, 1]), Sink(board, "sink", [1])
    connect(source.out, sink.x, depth=2)
    with pytest.raises(WiringError, match=r"^channel source\.out -> sink\.x: 2 filled and never taken$"):
        board.run()


class Keeper(Unit):
    x = In[int]()

    def run(self) -> Steps[None]:
        yield from self.x.take()


def test_a_bank_that_is_never_released_is_an_error() -> None:
    board = diagram()
    source = Loader(board, "source", [1])
    keeper = Keeper(board, "keeper", board.clocks["clk"], source="a test")
    double_buffer(source.out, keeper.x)
    with pytest.raises(WiringError, match=r"^channel source\.out -> keeper\.x: 1 taken and never released$"):
        board.run()


class Loader(Source):
    def run(self) -> Steps[None]:
        yield from self.out.claim()
        self.out.fill(0)


class Asker(Unit):
    memory = Master[int]()

    def run(self) -> Steps[None]:
        yield from self.memory.access(1)


def test_a_master_must_be_connected_too() -> None:
    board = Diagram(TimeBase.of({"clk": 1}))
    asker = Asker(board, "asker", board.clocks["clk"], source="a test")
    with pytest.raises(WiringError, match=r"^port asker\.memory: is not connected$"):
        board.run()
    with pytest.raises(WiringError, match=r"^port asker\.memory: is not connected$"):
        next(asker.memory.issue(1))

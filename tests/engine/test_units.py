"""Units made from contracts: the cycles they charge, when their results leave, and their descriptions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.engine.clock import Clock, TimeBase
from hwsim.engine.pipeline import Pace, Pipeline
from hwsim.engine.port import Out, Steps, connect
from hwsim.engine.trace import Trace
from hwsim.engine.unit import Unit
from hwsim.errors import WiringError
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract
from hwsim.rtl.gelu_delta.contract import GeluDeltaContract
from hwsim.rtl.linear.command import Command
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.mac_unit.contract import MacUnitContract
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.weight_loader.contract import Group, WeightLoaderContract
from tests.engine.parts import Sink, Source, diagram, timelines


def test_a_unit_says_what_its_contract_says() -> None:
    board = diagram()
    clock = board.clocks["clk"]
    mac = MacUnitContract.from_preset("published", lanes=8)
    banks = Unit.of(mac, board, "banks", clock, copies=16)
    assert (banks.source, banks.proven) == (mac.source, False)
    assert (banks.resources().multipliers, banks.resources().adders) == (16 * 8, 16 * 8)
    gelu = Pipeline.of(GeluDeltaContract.from_preset("rtl"), board, "gelu", clock)
    assert (gelu.source, gelu.proven, gelu.pace) == ("rtl/gelu_delta", True, Pace(interval=1, latency=6))
    host = Unit(board, "host", clock, source="a guess")
    assert (host.proven, host.resources().lut) == (False, 0)
    assert board.dump() == (
        "unit banks x 16: mac_unit, published; clock clk 1 MHz\n"
        "unit gelu: gelu_delta, rtl, proven; clock clk 1 MHz\n"
        "unit host: source: a guess; clock clk 1 MHz\n"
    )


def test_a_job_takes_the_cycles_of_the_contract() -> None:
    board = diagram(slow=1, fast=4)
    contract = OnlineSoftmaxContract.from_preset("rtl")
    unit = Unit.of(contract, board, "softmax", board.clocks["slow"])

    def jobs() -> Steps[None]:
        yield board.env.timeout(1)
        for tokens in (5, 9):
            yield from unit.work(tokens, kind="softmax", name=f"{tokens} tokens")

    end = 4 * (1 + contract.cycles(5) + contract.cycles(9))
    assert board.run(jobs()) == end
    middle = 4 * (1 + contract.cycles(5))
    assert timelines(board) == {"softmax": [(4, middle, "5 tokens"), (middle, end, "9 tokens")]}


def test_without_a_contract_there_is_nothing_to_charge() -> None:
    board = diagram()
    with pytest.raises(WiringError, match="unit host: has no contract that says how long a job takes"):
        next(Unit(board, "host", board.clocks["clk"], source="a guess").work(1, kind="work", name="work"))


def test_booked_work_begins_on_an_edge_and_is_a_share_of_the_run() -> None:
    board = diagram(fast=10, slow=2)
    board.trace.keep = 2
    unit = Unit(board, "adder", board.clocks["slow"], source="a test")
    now = 1
    for name in ("a", "b", "c"):
        now = unit.book(now, 3, "add", name)
    assert board.trace.of("adder") == [(5, 20, "a"), (20, 35, "b")]  # the third is counted, not kept
    assert (unit.busy, board.trace.kinds["add"], board.trace.pieces) == (45, 45, 3)


class Loads(Unit):
    """Streams groups of weights; each group leaves when its last word was read."""

    out = Out[int]()
    groups: list[Group]

    def run(self) -> Steps[None]:
        jobs = ((self.groups[: count + 1], count) for count in range(len(self.groups)))
        yield from self.stream(jobs, self.out, kind="load", name="groups")


GROUPS = st.lists(
    st.builds(Group, in_tiles=st.integers(1, 4), out_tiles=st.integers(1, 4), reads=st.integers(1, 40)),
    min_size=1,
    max_size=5,
)


@given(GROUPS)
def test_results_leave_when_a_job_would_be_done_that_ends_with_them(groups: list[Group]) -> None:
    contract = WeightLoaderContract.from_preset("rtl")
    board = diagram()
    loads = Loads.of(contract, board, "loads", board.clocks["clk"])
    loads.groups = groups
    sink = Sink(board, "sink", [0] * len(groups))
    connect(loads.out, sink.x, depth=1)
    board.run()
    assert sink.handed_over == [contract.cycles(groups[: count + 1]) for count in range(len(groups))]
    assert loads.busy == contract.cycles(groups)


def test_a_held_result_stops_the_whole_unit() -> None:
    board = diagram()
    loads = Loads.of(
        WeightLoaderContract.from_preset("rtl", weight_words=1, bias_words=1), board, "loads", board.clocks["clk"]
    )
    loads.groups = [Group(in_tiles=1, out_tiles=1, reads=1)] * 3
    sink = Sink(board, "sink", [100, 0, 0])
    connect(loads.out, sink.x, depth=1)
    assert board.run() == 120
    assert timelines(board)["loads"] == [
        (0, 20, "groups"),
        (20, 38, "groups"),
        (38, 56, "groups"),
        (56, 120, "out is full"),
    ]


@pytest.mark.parametrize("name", ["mac_tile", "gelu_delta", "exp", "reciprocal", "rsqrt", "layernorm"])
@given(items=st.integers(1, 40))
def test_a_stream_through_a_pipeline_takes_the_cycles_of_the_contract(name: str, items: int) -> None:
    contract: Contract = BLOCKS[name].contract.from_preset("rtl")
    board = diagram()
    clock: Clock = board.clocks["clk"]
    pipeline = Pipeline.of(contract, board, "pipeline", clock)
    source, sink = Source(board, "source", [0] * items), Sink(board, "sink", [0] * items)
    connect(source.out, pipeline.x, depth=1)
    connect(pipeline.y, sink.x, depth=1)
    board.run()
    assert sink.handed_over[-1] == contract.cycles(items)
    assert pipeline.busy == items * pipeline.pace.interval


def test_a_pace_of_work_that_is_no_number_of_items() -> None:
    contract = LinearContract.from_preset("rtl")

    def tokens(count: int) -> list[Command]:
        return [Command(tokens=count, in_tiles=12, out_tiles=4)]

    pace = Pace.of(contract, tokens)
    assert pace == Pace(interval=48, latency=contract.cycles(tokens(1)))


def test_a_block_whose_items_do_not_follow_each_other_evenly_has_no_pace() -> None:
    with pytest.raises(WiringError) as caught:
        Pace.of(OnlineSoftmaxContract.from_preset("rtl"))
    assert str(caught.value) == ("online_softmax: has no steady pace, the second item takes 6 cycles more, item 5 9")
    short = LinearContract.from_preset("rtl")  # tokens of one tile come in bursts as long as the index FIFO
    with pytest.raises(WiringError, match="the second item takes 1 cycles more, item 9 "):
        Pace.of(short, lambda count: [Command(tokens=count, in_tiles=1, out_tiles=1)])
    with pytest.raises(WiringError, match="pace: interval must be at least 1 cycle, got 0"):
        Pace(interval=0, latency=1)


class Doubler(Pipeline):
    def result(self, item: int) -> int:
        return 2 * item


def test_a_pipeline_goes_on_taking_items_until_its_places_are_full() -> None:
    board = diagram()
    source, sink = Source(board, "source", [0] * 9), Sink(board, "sink", [50] + [0] * 8)
    pipeline = Doubler(board, "doubler", board.clocks["clk"], source="a test", pace=Pace(interval=2, latency=5))
    connect(source.out, pipeline.x, depth=1)
    channel = connect(pipeline.y, sink.x, depth=1)
    assert board.run() == 66
    assert timelines(board)["doubler"] == [
        (0, 2, "0"),
        (2, 4, "1"),
        (4, 6, "2"),
        (6, 8, "3"),
        (8, 10, "4"),
        (10, 55, "y is full"),
        (55, 57, "5"),
        (57, 59, "6"),
        (59, 61, "7"),
        (61, 63, "8"),
    ]
    assert board.trace.of("sink")[:3] == [(0, 5, "waits for x"), (5, 55, "item 0"), (55, 55, "item 2")]
    assert (channel.places, channel.most_filled) == (4, 4)


def test_a_diagrams_timeline_shows_work_and_waits() -> None:
    board = diagram()
    source, sink = Source(board, "source", [3]), Sink(board, "sink", [2])
    connect(source.out, sink.x, depth=1)
    board.run()
    timeline = board.timeline("a story")
    assert (timeline.name, timeline.ticks_per_second) == ("a story", 1_000_000)
    assert [(track.name, [tuple(span) for span in track.spans]) for track in timeline.tracks] == [
        ("source", [(0, 3, "item 0", {"kind": "work"})]),
        ("sink", [(0, 3, "waits for x", {"kind": "stall"}), (3, 5, "item 0", {"kind": "work"})]),
    ]


def test_nothing_is_kept_that_nobody_asked_for() -> None:
    trace = Trace()
    trace.record_part("a", "work", "work", 0, 3)
    assert (trace.busy, trace.of("a")) == ({"a": 3}, [])
    assert TimeBase.of({"clk": 2}).clocks["clk"].wait(3) == 0

"""Lines of units with finite buffers, created in any order, against the recurrence of their times."""

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hwsim.engine.diagram import Diagram
from hwsim.engine.pipeline import Pace, Pipeline
from hwsim.engine.port import Out, connect
from tests.engine.parts import Part, Sink, Source, Stage, diagram

FREQS = (6_000_000, 3_000_000, 2_000_000, 1_000_000)  # periods of 1, 2, 3 and 6 ticks


@dataclass(frozen=True, kw_only=True)
class Line:
    """Stations one after the other; the first makes items, the last keeps them.

    Attributes
    ----------
    cycles : (stations, items)
    depths : places between a station and the next
    periods : ticks of each station's clock
    order : in which the stations are made
    """

    cycles: list[list[int]]
    depths: list[int]
    periods: list[int]
    order: list[int]


@st.composite
def lines(draw: st.DrawFn) -> Line:
    stations, items = draw(st.integers(2, 4)), draw(st.integers(1, 8))
    return Line(
        cycles=[draw(st.lists(st.integers(0, 7), min_size=items, max_size=items)) for _ in range(stations)],
        depths=draw(st.lists(st.integers(1, 3), min_size=stations - 1, max_size=stations - 1)),
        periods=draw(st.lists(st.sampled_from([1, 2, 3, 6]), min_size=stations, max_size=stations)),
        order=draw(st.permutations(range(stations))),
    )


def _edge(tick: int, period: int) -> int:
    return -(-tick // period) * period


def recurrence(line: Line) -> list[list[int]]:
    """Tick in which each station has handed over each item.

    A station begins an item when the previous station has handed it over and this one has handed over its own last
    item. It can hand over an item when the next station has begun the item `depth` places earlier, which frees a place.
    """
    last = len(line.cycles) - 1
    begun: list[list[int]] = [[] for _ in line.cycles]
    rid: list[list[int]] = [[] for _ in line.cycles]
    for item in range(len(line.cycles[0])):
        for place, period in enumerate(line.periods):
            there = rid[place - 1][item] if place else 0
            free = rid[place][item - 1] if item else 0
            begun[place].append(_edge(max(there, free), period))
            done = begun[place][item] + line.cycles[place][item] * period
            if place < last and item >= line.depths[place]:
                done = _edge(max(done, begun[place + 1][item - line.depths[place]]), period)
            rid[place].append(done)
    return rid


def _built(line: Line) -> tuple[Diagram, list[Part]]:
    board = diagram(**{f"p{6_000_000 // freq}": freq for freq in FREQS})
    made: dict[int, Part] = {}
    for place in line.order:
        kind = Source if place == 0 else Sink if place == len(line.order) - 1 else Stage
        clock = board.clocks[f"p{line.periods[place]}"]
        made[place] = kind(board, f"station {place}", line.cycles[place], clock)
    parts = [made[place] for place in sorted(made)]
    for before, after, depth in zip(parts, parts[1:], line.depths, strict=False):
        connect(next(port for port in before.ports.values() if isinstance(port, Out)), after.x, depth=depth)  # type: ignore[attr-defined]
    return board, parts


@given(lines())
def test_a_line_takes_the_times_of_its_recurrence(line: Line) -> None:
    board, parts = _built(line)
    board.run()
    assert [part.handed_over for part in parts] == recurrence(line)


@given(lines())
def test_busy_stalled_and_idle_are_the_whole_run(line: Line) -> None:
    board, parts = _built(line)
    end = board.run()
    for part in parts:
        spans = board.trace.of(part.name)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
        assert part.busy + sum(part.stalls.values()) == sum(stop - start for start, stop, _ in spans) <= end


@given(lines())
def test_the_order_in_which_units_are_made_moves_nothing(line: Line) -> None:
    other = Line(cycles=line.cycles, depths=line.depths, periods=line.periods, order=sorted(line.order, reverse=True))
    one, two = _built(line)[0], _built(other)[0]
    assert one.run() == two.run()
    assert {name: one.trace.of(name) for name in one.units} == {name: two.trace.of(name) for name in two.units}
    assert [c.most_filled for c in one.channels] == [c.most_filled for c in two.channels]


def test_three_equal_stations_take_their_closed_form() -> None:
    """The first item passes all stations; each further item adds the time of the slowest."""
    slowest, items = 9, 20
    line = Line(cycles=[[4] * items, [slowest] * items, [5] * items], depths=[2, 2], periods=[1, 1, 1], order=[0, 1, 2])
    board, _ = _built(line)
    assert board.run() == 4 + slowest + 5 + (items - 1) * slowest == 189


@dataclass(frozen=True, kw_only=True)
class PipelineLine:
    """A source, a pipeline, a sink."""

    makes: list[int]
    keeps: list[int]
    before: int
    after: int
    pace: Pace
    periods: tuple[int, int, int]


@st.composite
def pipeline_lines(draw: st.DrawFn) -> PipelineLine:
    items = draw(st.integers(1, 12))
    times = st.lists(st.integers(0, 6), min_size=items, max_size=items)
    period = st.sampled_from([1, 2, 3])
    return PipelineLine(
        makes=draw(times),
        keeps=draw(times),
        before=draw(st.integers(1, 3)),
        after=draw(st.integers(1, 3)),
        pace=Pace(interval=draw(st.integers(1, 4)), latency=draw(st.integers(1, 11))),
        periods=(draw(period), draw(period), draw(period)),
    )


def _pipeline_recurrence(line: PipelineLine) -> tuple[list[int], list[int]]:
    """When source and sink hand over items; the pipeline's stages and the FIFO after it are separate.

    An item enters when the item `places` earlier has left the stages; it leaves them `latency` later, or when there is
    a place in the FIFO.
    """
    entered: list[int] = []
    left: list[int] = []
    made: list[int] = []
    begun: list[int] = []
    kept: list[int] = []
    first, middle, last = line.periods
    pace, places = line.pace, line.pace.places
    for item in range(len(line.makes)):
        done = (made[-1] if made else 0) + line.makes[item] * first
        way = entered[item - line.before] if item >= line.before else 0
        made.append(_edge(max(done, way), first))
        enter = max(made[item], entered[-1] + pace.interval * middle if entered else 0)
        entered.append(_edge(max(enter, left[item - places] if item >= places else 0), middle))
        leave = max(entered[item] + pace.latency * middle, left[-1] if left else 0)
        left.append(max(leave, begun[item - line.after] if item >= line.after else 0))
        begun.append(_edge(max(left[item], kept[-1] if kept else 0), last))
        kept.append(begun[item] + line.keeps[item] * last)
    return made, kept


@given(pipeline_lines())
def test_a_pipeline_is_its_stages_with_a_fifo_after_them(line: PipelineLine) -> None:
    board = diagram(**{f"p{6_000_000 // freq}": freq for freq in FREQS})
    clocks = [board.clocks[f"p{period}"] for period in line.periods]
    source = Source(board, "source", line.makes, clocks[0])
    pipeline = Pipeline(board, "pipeline", clocks[1], source="a test", pace=line.pace)
    sink = Sink(board, "sink", line.keeps, clocks[2])
    connect(source.out, pipeline.x, depth=line.before)
    connect(pipeline.y, sink.x, depth=line.after)
    board.run()
    assert (source.handed_over, sink.handed_over) == _pipeline_recurrence(line)

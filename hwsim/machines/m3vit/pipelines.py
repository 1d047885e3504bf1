"""Tasks of the machine's units: a row of units through which tokens pass, attention, experts, and loads of weights.

An iteration of a loop is a token: a unit takes it whole, and hands it on whole when it is done with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task, Transfer

PAGE = 4096  # bytes that come over one port before the next takes its turn


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of tokens in the board's memory, one a token.

    Attributes
    ----------
    row_beats : beats of a row
    burst : beats of a transaction
    chunks : addresses from which on `chunk_rows` rows follow each other
    """

    port: str
    row_beats: int
    burst: int
    chunks: tuple[int, ...]
    chunk_rows: int


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A unit in a row of units.

    Attributes
    ----------
    interval : cycles from a token to the next
    latency : cycles from a token's begin to its result
    reads, writes : rows that it needs or gives beside what it gets from the unit before and hands to the next
    """

    unit: str
    interval: int
    latency: int
    reads: Rows | None = None
    writes: Rows | None = None


@dataclass(frozen=True, kw_only=True)
class AttentionTiles:
    """Cycles of a query: its scores, its softmax, its sums of values; and how long scores and values take to come out.

    Attributes
    ----------
    ahead : queries whose scores are computed before the first one's values
    """

    scores: int
    values: int
    softmax: int
    softmax_latency: int
    latency: int
    ahead: int


@dataclass(frozen=True, kw_only=True)
class ExpertTiles:
    """Cycles of a token in an expert: first matrix, activation, second matrix, sum with what other experts gave."""

    up: int
    down: int
    gelu: Stage
    adder: Stage
    latency: int


def row_of_units(name: str, kind: str, stages: Sequence[Stage], tokens: int, depth: int) -> Task:
    """Tokens pass a row of units, none of them twice.

    Parameters
    ----------
    depth : tokens that wait between two units
    """
    fifos: list[Fifo] = []
    loops: list[Loop] = []
    transfers: list[Transfer] = []
    for number, stage in enumerate(stages):
        takes, gives = [], []
        if number:
            takes.append(Take(f"to {stage.unit}"))
        if number < len(stages) - 1:
            following = f"to {stages[number + 1].unit}"
            fifos.append(Fifo(following, depth))
            gives.append(Give(following, after=stage.latency))
        elif not stage.writes:
            fifos.append(Fifo("done", depth))
            gives.append(Give("done", after=stage.latency))
        for rows, write in ((stage.reads, False), (stage.writes, True)):
            if rows:
                fifo = f"rows {'from' if write else 'for'} {stage.unit}"
                fifos.append(Fifo(fifo, max(depth, 2) * rows.row_beats))
                transfers.append(_transfer(rows, fifo, write=write))
                if write:
                    gives.append(Give(fifo, rows.row_beats, after=stage.latency))
                else:
                    takes.append(Take(fifo, rows.row_beats))
        loops.append(
            Loop(
                name=stage.unit,
                unit=stage.unit,
                trips=tokens,
                interval=stage.interval,
                takes=takes,
                gives=gives,
            )
        )
    if not stages[-1].writes:
        loops.append(Loop(name="done", unit=stages[-1].unit, trips=tokens, takes=(Take("done"),)))
    return Task(unit="engine", kind=kind, name=name, fifos=fifos, loops=loops, transfers=transfers)


def attention(
    name: str, queries: int, tiles: AttentionTiles, *, reads: Rows | None = None, writes: Rows | None = None
) -> Task:
    """Attention of the queries of an image to all its keys, which lie on the chip.

    In each turn the engine computes a query's scores, then the sums of values of the query `ahead` turns before.
    """
    turn, ahead = tiles.scores + tiles.values, tiles.ahead
    first = Pattern(limit=queries)
    later = Pattern(first=ahead)
    done = turn + tiles.latency
    scores = Give("scores", when=first, after=tiles.scores + tiles.latency)
    takes = [Take("weights", when=later)]
    gives = [scores, Give("sums", when=later, after=done) if not writes else Give("out", writes.row_beats, later, done)]
    fifos = [Fifo("scores", ahead + 1), Fifo("weights", ahead + 1)]
    loops, transfers = [], []
    if reads:
        fifos.append(Fifo("queries", 2 * reads.row_beats))
        takes.append(Take("queries", reads.row_beats, first))
        transfers.append(_transfer(reads, "queries", write=False))
    if writes:
        fifos.append(Fifo("out", 2 * writes.row_beats))
        transfers.append(_transfer(writes, "out", write=True))
    else:
        fifos.append(Fifo("sums", 2))
        loops.append(Loop(name="done", unit="engine", trips=queries, takes=(Take("sums"),)))
    engine = Loop(name="engine", unit="engine", trips=queries + ahead, interval=turn, takes=takes, gives=gives)
    softmax = Loop(
        name="softmax",
        unit="softmax",
        trips=queries,
        interval=tiles.softmax,
        takes=(Take("scores"),),
        gives=(Give("weights", after=tiles.softmax_latency),),
    )
    return Task(
        unit="engine", kind="attention", name=name, fifos=fifos, loops=(engine, softmax, *loops), transfers=transfers
    )


def expert_queue(name: str, tokens: int, tiles: ExpertTiles, *, reads: Rows | None = None) -> Task:
    """The tokens of an expert's queue: all through its first matrix, then all through its second."""
    first = tokens * tiles.up
    up = Pattern(first=tiles.up - 1, period=tiles.up, limit=tokens)
    begin_up = Pattern(period=tiles.up, limit=tokens)
    down = Pattern(first=first + tiles.down - 1, period=tiles.down, limit=tokens)
    begin_down = Pattern(first=first, period=tiles.down, limit=tokens)
    trips = tokens * (tiles.up + tiles.down)
    return _expert(name, tiles, tokens, trips, (begin_up, up, begin_down, down), reads)


def expert_visits(name: str, visits: int, tiles: ExpertTiles, *, reads: Rows | None = None) -> Task:
    """Tokens in their order, each through both matrices of an expert before the next."""
    turn = tiles.up + tiles.down
    patterns = [Pattern(first=first, period=turn, limit=visits) for first in (0, tiles.up - 1, tiles.up, turn - 1)]
    return _expert(name, tiles, visits, visits * turn, patterns, reads)


def _expert(
    name: str, tiles: ExpertTiles, tokens: int, trips: int, patterns: Sequence[Pattern], reads: Rows | None
) -> Task:
    """The engine computes a tile an iteration; the activation and the sums are units beside it."""
    begin_up, up, begin_down, down = patterns
    takes = [Take("activated", when=begin_down)]
    fifos = [Fifo("hidden", max(2, tokens)), Fifo("activated", max(2, tokens)), Fifo("results", 2), Fifo("done", 2)]
    transfers = []
    if reads:
        fifos.append(Fifo("tokens", 2 * reads.row_beats))
        takes.append(Take("tokens", reads.row_beats, begin_up))
        transfers.append(_transfer(reads, "tokens", write=False))
    engine = Loop(
        name="engine",
        unit="engine",
        trips=trips,
        takes=takes,
        gives=(Give("hidden", when=up, after=1 + tiles.latency), Give("results", when=down, after=1 + tiles.latency)),
    )
    return Task(
        unit="engine",
        kind="expert_ffn",
        name=name,
        fifos=fifos,
        loops=(
            engine,
            _passing("gelu", tiles.gelu, tokens, "hidden", "activated"),
            _passing("adder", tiles.adder, tokens, "results", "done"),
            Loop(name="done", unit="adder", trips=tokens, takes=(Take("done"),)),
        ),
        transfers=transfers,
    )


def _passing(name: str, stage: Stage, tokens: int, source: str, sink: str) -> Loop:
    return Loop(
        name=name,
        unit=stage.unit,
        trips=tokens,
        interval=stage.interval,
        takes=(Take(source),),
        gives=(Give(sink, after=stage.latency),),
    )


def load_task(name: str, address: int, size_bytes: int, ports: Sequence[str], *, beat_bytes: int, burst: int) -> Task:
    """Weights come into a buffer, page by page over the ports in turn; each port brings a beat a cycle at most."""
    fifos, loops, transfers = [], [], []
    pages = range(address, address + size_bytes, PAGE)
    for port, own in zip(ports, (pages[number :: len(ports)] for number in range(len(ports)))):
        if not own:  # fewer pages than ports
            continue
        beats = sum(-(-min(PAGE, address + size_bytes - page) // beat_bytes) for page in own)
        fifos.append(Fifo(port, 4))
        loops.append(Loop(name=port, unit="loader", trips=beats, takes=(Take(port),)))
        transfers.append(
            Transfer(port=port, fifo=port, chunks=tuple(own), beats=PAGE // beat_bytes, burst=burst, limit=beats)
        )
    return Task(unit="loader", kind="load", name=name, fifos=fifos, loops=loops, transfers=transfers)


def _transfer(rows: Rows, fifo: str, *, write: bool) -> Transfer:
    return Transfer(
        port=rows.port,
        fifo=fifo,
        write=write,
        chunks=rows.chunks,
        beats=rows.chunk_rows * rows.row_beats,
        burst=rows.burst,
    )


def joined_units(tasks: Sequence[Task]) -> Iterator[tuple[str, str]]:
    """Pairs of units between which tasks pass items."""
    for task in tasks:
        givers = {give.fifo: loop.unit for loop in task.loops for give in loop.gives}
        for loop in task.loops:
            for take in loop.takes:
                if (source := givers.get(take.fifo)) and source != loop.unit:
                    yield source, loop.unit

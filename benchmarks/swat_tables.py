"""The tables of benchmarks/swat.py that are of SWAT alone, made of what runs gave; nothing here runs a machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

HEADS, HEAD_DIM = 12, 64
STREAMS = ("q", "k", "v", "z", "carry")


@dataclass(frozen=True, kw_only=True)
class Point:
    """What a run of heads with the same keys gave.

    Attributes
    ----------
    tokens : rows of a head
    heads : of all layers
    cycles : of all heads
    joules : None where energy is off
    element_bytes : of q, k, v and z
    passes, rows : times that the rows of a head go through the cores, and rows of all of them
    pairs, dropped : query-key pairs of a head, and those that the model has and the run left out
    moved : how often each element of a stream crosses the chip's border; partial rows count as Z
    """

    tokens: int
    heads: int
    cycles: int
    clock_hz: float
    joules: float | None = None
    element_bytes: int = 2
    passes: int = 1
    rows: int = 0
    pairs: int = 0
    dropped: int = 0
    moved: Mapping[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return self.cycles / self.clock_hz

    @property
    def head_cycles(self) -> float:
        return self.cycles / self.heads

    @property
    def layer_s(self) -> float:
        """Seconds of 12 heads."""
        return self.seconds * HEADS / self.heads

    @property
    def row_bytes(self) -> float:
        """Bytes that a row of the sequence moves to and from the memory."""
        return sum(self.moved.values()) * HEAD_DIM * self.element_bytes


@dataclass(frozen=True, kw_only=True)
class Law:
    """A closed form of the cycles of a head: those of its first row, and an interval for each further one."""

    text: str
    first: int
    interval: int

    def cycles(self, tokens: int) -> int:
        return self.first + (tokens - 1) * self.interval


def lockstep_law(depth: int, interval: int) -> Law:
    return Law(text=f"(N + {depth - 1}) x {interval}", first=depth * interval, interval=interval)


def elastic_law(way: int, interval: int) -> Law:
    return Law(text=f"{way:,} + (N - 1) x {interval}", first=way, interval=interval)


def line_residual(points: Iterable[Point]) -> float:
    """Largest relative distance of the cycles from the best line over tokens (least squares of these distances)."""
    found = list(points)
    cycles = np.array([point.cycles for point in found], dtype=float)
    columns = np.array([(1.0, point.tokens) for point in found]) / cycles[:, np.newaxis]
    line, *_ = np.linalg.lstsq(columns, np.ones(len(cycles)), rcond=None)
    return float(np.max(np.abs(columns @ line - 1)))


def latency_table(series: Mapping[str, tuple[Sequence[Point], Law]]) -> Iterator[str]:
    """Cycles of a head over tokens, a column a design, how far each is from a line and from its closed form."""
    yield from _over_tokens({name: points for name, (points, _) in series.items()})
    yield f"| closed form | {' | '.join(law.text for _, law in series.values())} |"
    off = (f"{_off(points, law):,.0f}" for points, law in series.values())
    yield f"| cycles off it, at most | {' | '.join(off)} |"


def _off(points: Sequence[Point], law: Law) -> float:
    return max(abs(point.head_cycles - law.cycles(point.tokens)) for point in points)


def pattern_table(series: Mapping[str, Sequence[Point]]) -> Iterator[str]:
    """Cycles of a head over tokens, a column a pattern, how far each is from a line, and what a row takes."""
    yield from _over_tokens(series)
    last = (points[-1] for points in series.values())
    a_row = " | ".join(f"{point.head_cycles / point.tokens:.1f}" for point in last)
    yield f"| cycles a row, of the longest | {a_row} |"


def _over_tokens(series: Mapping[str, Sequence[Point]]) -> Iterator[str]:
    yield f"| tokens | {' | '.join(series)} |"
    yield f"|---|{'---|' * len(series)}"
    for same in zip(*series.values(), strict=True):
        yield f"| {same[0].tokens:,} | {' | '.join(f'{point.head_cycles:,.0f}' for point in same)} |"
    yield f"| residual of a line | {' | '.join(f'{line_residual(points):.4%}' for points in series.values())} |"


def configuration_table(runs: Mapping[str, Point]) -> Iterator[str]:
    """Designs and patterns side by side, each as a layer of 12 heads; the others are compared with the first."""
    base = next(iter(runs.values()))
    yield "| configuration | passes | rows a head | pairs a row | dropped | cycles of 12 heads | ms | to the first |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, point in runs.items():
        yield (
            f"| {name} | {point.passes} | {point.rows:,} | {point.pairs / point.tokens:,.1f} | {point.dropped:,} | "
            f"{point.head_cycles * HEADS:,.0f} | {point.layer_s * 1e3:.3f} | {point.layer_s / base.layer_s:.3f} |"
        )


def bytes_table(runs: Mapping[str, Point]) -> Iterator[str]:
    """How often an element of each stream moves, and what a row moves."""
    yield f"| keys of a row | passes | {' | '.join(STREAMS)} | bytes a row |"
    yield f"|---|---|{'---|' * len(STREAMS)}---|"
    for name, point in runs.items():
        cells = " | ".join(f"{point.moved[stream]:.3f}" if stream in point.moved else "-" for stream in STREAMS)
        yield f"| {name} | {point.passes} | {cells} | {point.row_bytes:,.1f} |"


def assumption_table(rows: Mapping[str, Mapping[str, Point]]) -> Iterator[str]:
    """Cycles of a head of each pattern, a row an assumption, with what it changes; the first row is as shipped."""
    shipped = next(iter(rows.values()))
    yield f"| changed | {' | '.join(f'{name} | to shipped' for name in shipped)} |"
    yield f"|---|{'---|---|' * len(shipped)}"
    for changed, points in rows.items():
        cells = (
            f"{point.head_cycles:,.0f} | {point.head_cycles / shipped[name].head_cycles - 1:+.2%}"
            for name, point in points.items()
        )
        yield f"| {changed} | {' | '.join(cells)} |"

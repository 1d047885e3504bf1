"""A part of a run as tracks over time, the content of a trace file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.engine.clock import Clock

Ints = NDArray[np.int64]


class Span(NamedTuple):
    """One piece of work on a track, in ticks, with its details."""

    start: int
    end: int
    name: str
    arguments: Mapping[str, int | str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Counter:
    """A quantity over time.

    Attributes
    ----------
    unit : what is counted
    ticks, values : (n,) each value holds from its tick until the next
    """

    name: str
    unit: str
    ticks: Ints
    values: Ints

    def __post_init__(self) -> None:
        if self.ticks.shape != self.values.shape or np.any(np.diff(self.ticks) <= 0):
            raise ValueError(f"counter {self.name}: needs a value for each tick, and ticks that rise")


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """Something that does one thing at a time: its spans in order, its counters, and the tracks below it.

    `clock` divides its spans: they begin and end on its edges.
    """

    name: str
    clock: Clock
    spans: tuple[Span, ...]
    counters: tuple[Counter, ...] = ()
    children: tuple[Track, ...] = field(default=())

    def __post_init__(self) -> None:
        for before, after in pairwise(self.spans):
            if after.start < before.end:
                raise ValueError(f"track {self.name}: {after.name} begins before {before.name} ends")


@dataclass(frozen=True, kw_only=True, eq=False)
class Timeline:
    """The tracks of a run's first tokens."""

    name: str
    ticks_per_second: int
    tracks: tuple[Track, ...]

"""What a simulation records: busy time, stalls with their cause, and on request the pieces of work themselves."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

STALL = "stall"  # the kind of a slice in which a unit waits


CauseKind = Literal["input", "output", "memory"]


class Cause(NamedTuple):
    """What a unit waits for: an item at an input, room at an output, a resource that it shares with others."""

    kind: CauseKind
    port: str

    def __str__(self) -> str:
        return f"{self.port} is full" if self.kind == "output" else f"waits for {self.port}"


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One piece of work of one unit, or one wait (`kind` is `STALL`), in ticks."""

    unit: str
    kind: str
    name: str
    start: int
    end: int


@dataclass(kw_only=True)
class Trace:
    """Sums whose size does not grow with the length of the run, and the first `keep` slices.

    Attributes
    ----------
    busy : unit -> ticks in which it worked
    stalls : unit -> cause -> ticks in which it had work but waited; for the rest of a run it was idle
    kinds : kind of work -> its share of the run's ticks, where one piece of work follows another
    pieces : pieces of work that were counted so
    """

    keep: int = 0
    busy: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    stalls: dict[str, dict[Cause, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    pieces: int = 0
    slices: list[Slice] = field(default_factory=list)

    def record(self, unit: str, kind: str, name: str, start: int, end: int) -> None:
        """Add one piece of work during which no other unit works."""
        self.count_share(kind, end - start)
        self.record_part(unit, kind, name, start, end)

    def count_share(self, kind: str, ticks: int) -> None:
        """Count a piece of work, and its share of the run's time."""
        self.kinds[kind] += ticks
        self.pieces += 1

    def record_part(self, unit: str, kind: str, name: str, start: int, end: int) -> None:
        """Add busy time of a piece of work that may overlap others."""
        self.busy[unit] += end - start
        if len(self.slices) < self.keep:
            self.slices.append(Slice(unit=unit, kind=kind, name=name, start=start, end=end))

    def record_work(self, unit: str, kind: str, name: str, start: int, end: int, waits: Mapping[Cause, int]) -> None:
        """Add a piece of work with the waits within it, which are no busy time and whose places are not known."""
        self.busy[unit] += end - start - sum(waits.values())
        for cause, ticks in waits.items():
            self.stalls[unit][cause] += ticks
        if len(self.slices) < self.keep:
            self.slices.append(Slice(unit=unit, kind=kind, name=name, start=start, end=end))

    def record_stall(self, unit: str, cause: Cause, start: int, end: int) -> None:
        """Add time in which a unit waited."""
        self.stalls[unit][cause] += end - start
        if len(self.slices) < self.keep:
            self.slices.append(Slice(unit=unit, kind=STALL, name=str(cause), start=start, end=end))

    def keep_on(self) -> None:
        """Keep every slice from now on."""
        self.keep = sys.maxsize

    def keep_no_more(self) -> None:
        """Keep the slices so far, and only count from now on."""
        self.keep = len(self.slices)

    def of(self, unit: str) -> list[tuple[int, int, str]]:
        """(start, end, name) of a unit's kept slices."""
        return [(s.start, s.end, s.name) for s in self.slices if s.unit == unit]

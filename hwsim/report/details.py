"""What a run's page shows beyond its report, in terms that every machine can give.

A machine gives what it has; what stays empty is left out of the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hwsim.parameters.provenance import ParameterOrigin
from hwsim.report.core_map import CoreMap
from hwsim.report.stage_chart import StageChart


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """One step of the run: the context that it ended at and the time that it took, exact.

    Attributes
    ----------
    tokens : tokens that took the step together
    prompt : whether it took in a part of the prompt
    """

    context: int
    tokens: int
    seconds: float
    prompt: bool


@dataclass(frozen=True, kw_only=True)
class RooflinePoint:
    """Work of one kind: multiply-accumulates without padding, bytes that the memory moved for them, and the time.

    Attributes
    ----------
    peak_macs_per_s : of the multipliers that do such work; None for all that the machine has
    """

    name: str
    macs: int
    moved_bytes: int
    seconds: float
    peak_macs_per_s: float | None = None

    @property
    def intensity(self) -> float:
        """Multiply-accumulates a byte."""
        return self.macs / self.moved_bytes

    @property
    def rate(self) -> float:
        """Multiply-accumulates a second."""
        return self.macs / self.seconds


@dataclass(frozen=True, kw_only=True)
class Roofline:
    """What the machine can reach, and what kinds of work did.

    Attributes
    ----------
    compute, memory : what the two roofs are called
    peak_macs_per_s : of all multipliers
    bytes_per_s : from the memory to them
    note : how the two follow from the machine's parameters, in one line
    """

    compute: str
    memory: str
    peak_macs_per_s: float
    bytes_per_s: float
    points: tuple[RooflinePoint, ...]
    note: str

    def ceiling(self, intensity: float) -> float:
        """Multiply-accumulates a second that work of this intensity can reach."""
        return min(self.peak_macs_per_s, self.bytes_per_s * intensity)

    def share(self, point: RooflinePoint) -> float:
        """What work reached of the roof above it, which is that of its own multipliers."""
        own = self.peak_macs_per_s if point.peak_macs_per_s is None else point.peak_macs_per_s
        return point.rate / min(own, self.ceiling(point.intensity))


@dataclass(frozen=True, kw_only=True)
class Region:
    """Rows that belong together; every bank has the same ones."""

    name: str
    kind: str
    first_row: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class MemoryMap:
    """How a memory of equal banks is filled.

    Attributes
    ----------
    rows : rows a bank
    regions : in order of their rows; what lies between and behind them is free
    held_bytes : [channel][bank] -> bytes that hold something at the end of the run, padding not counted
    bank_bytes : capacity of a bank
    """

    rows: int
    regions: tuple[Region, ...]
    held_bytes: tuple[tuple[int, ...], ...]
    bank_bytes: int


@dataclass(frozen=True, kw_only=True)
class Details:
    """All that a machine tells about a run for its page.

    Attributes
    ----------
    steps : steps in order, thinned where there are many; each that is there is exact
    steps_in_all : how many there were
    cores : which core holds which key, of the plans of attention that take most time
    stages : the first pieces of work through the stages of a pipeline
    """

    steps: tuple[StepTime, ...] = ()
    steps_in_all: int = 0
    roofline: Roofline | None = None
    memory: MemoryMap | None = None
    cores: tuple[CoreMap, ...] = ()
    stages: StageChart | None = None
    parameters: tuple[ParameterOrigin, ...] = ()
    workload: dict[str, Any] = field(default_factory=dict)


def thin(values: Sequence[int], most: int) -> Iterator[int]:
    """Indices of at most `most` values that keep the outline: the first, the last, each stretch's least and greatest.

    Parameters
    ----------
    most : at least 4
    """
    count = len(values)
    if count <= most:
        yield from range(count)
        return
    stretches = (most - 2) // 2
    kept = {0, count - 1}
    for stretch in range(stretches):
        inside = range(stretch * count // stretches, (stretch + 1) * count // stretches)
        kept.add(min(inside, key=values.__getitem__))
        kept.add(max(inside, key=values.__getitem__))
    yield from sorted(kept)

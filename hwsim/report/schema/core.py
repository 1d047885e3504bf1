"""The parts of a report that every machine fills."""

from __future__ import annotations

from math import fsum
from typing import Any, Literal

from hwsim.engine.unit_spec import UnitKind
from hwsim.mapping.workload.loads import Kind as LoadKind
from hwsim.mapping.workload.run import Unit
from hwsim.report.schema.part import Part

# What a part of the distance from the lower bound is: parts of one kind can be compared between machines.
DistanceKind = Literal["refresh", "transfers", "rows", "modes", "unit", "host", "link", "waits"]
MemoryKind = Literal["dram", "hbm", "sram", "bram", "uram", "lutram"]
Contents = Literal["weights", "cache", "activations", "tables", "other"]


class Throughput(Part):
    """What comes out of a run: `value` of `unit` a second, `count` in all.

    A decoder counts the tokens that it generates, over the time after the prompt; in prefill those of the prompt.
    """

    value: float
    unit: Unit
    count: int


class KindShare(Part):
    """Cycles of one operator kind; the shares of all kinds add up to 1 where units alternate."""

    kind: str
    cycles: int
    share: float


class Stall(Part):
    """Cycles in which a unit waited, and for what; `share` is of the run, as a unit's utilisation is."""

    cause: str
    cycles: int
    share: float


class UnitUse(Part):
    """What a unit did. `count` equal ones stand in one row; `busy_cycles` are those of one of them, or their mean.

    `source` says where the timing comes from, `proven` whether RTL of ours is proven to take it; timing without a
    contract says in `compared` what it was compared with. `stalls` are the waits whose cause is known.
    """

    name: str
    kind: UnitKind
    count: int
    busy_cycles: int
    utilisation: float
    stalls: list[Stall]
    source: str
    proven: bool
    compared: str | None


class MemoryPart(Part):
    """What a part of a memory holds."""

    holds: Contents
    size_bytes: int


class MemoryUse(Part):
    """A memory. What is null is not known, such as the peak use of a scratch memory.

    The parts add up to `used_bytes`; `padding_bytes` of them hold nothing. Bytes read and written are those that
    crossed the memory's own ports.
    """

    name: str
    kind: MemoryKind
    size_bytes: int
    used_bytes: int | None
    padding_bytes: int | None
    bytes_read: int | None
    bytes_written: int | None
    parts: list[MemoryPart]

    def holding(self, holds: Contents) -> int:
        """Bytes of the parts that hold something of this kind."""
        return sum(part.size_bytes for part in self.parts if part.holds == holds)


class LinkUse(Part):
    """Bytes that left or entered a chip by one way."""

    link: str
    size_bytes: int


class BoundPart(Part):
    """A part of the time above the lower bound; below 0 where units work side by side."""

    cause: str
    kind: DistanceKind
    seconds: float


class Bound(Part):
    """Lower bound of the latency and where the distance to it lies; `lower_bound_s` and `distance` sum to the latency.

    `note` says what the bound counts.
    """

    lower_bound_s: float
    ratio: float
    note: str
    distance: list[BoundPart]

    def seconds(self, kind: DistanceKind) -> float:
        """Time of all parts of one kind."""
        return fsum(part.seconds for part in self.distance if part.kind == kind)


class ResourceUse(Part):
    """What the units at one place take of something, and how much there is where there is a budget."""

    place: UnitKind
    resource: str
    used: float
    available: float | None


class Excluded(Part):
    """Work that the run left out, and what including it would cost one of the run's unit."""

    name: str
    seconds_per_unit: float
    share: float
    note: str


class Published(Part):
    """A published figure beside ours; `ours` is null where the two cannot be compared, and `note` says why.

    `ratio` is ours over theirs where theirs is one number; `unit` is that of `ours` (`%` for a share of 1).
    """

    name: str
    theirs: str
    ours: float | None
    ratio: float | None
    unit: str = ""
    grade: str
    note: str


class UnconfirmedParameter(Part):
    """A parameter in use whose value is remembered (M) or assumed (A)."""

    name: str
    value: Any
    grade: str
    confidence: float | None
    source: str


class LoadUse(Part):
    """Work that hung on data: where the data came from, and how much it made of `unit`, in the mean and at p99.

    `seed` is that of the draws, where any were made.
    """

    name: str
    source: LoadKind
    seed: int | None
    unit: str
    mean: float
    p99: float

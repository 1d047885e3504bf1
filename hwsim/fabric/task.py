"""A task: what units on an FPGA do at one call, as pipelined loops, FIFOs between them, and transfers at AXI ports.

This is the form that high-level synthesis gives a dataflow region, and that our RTL blocks have. All counts are of the
fabric's clock cycles.

    Fifo("in", depth=96) <- Transfer(port="inout1", fifo="in", ...)           # beats come from memory
    Loop("compute", trips=..., takes=[Take("in", ...)], gives=[Give("out", after=16, ...)])
    Fifo("out", depth=4) -> Transfer(port="inout2", fifo="out", write=True)   # beats go to memory

Rules, which `reference.py` plays cycle by cycle and `kernel.py` fast:

- All decisions of a cycle see the FIFOs as they were at its beginning: what is put in during a cycle can be taken out
  in the next one, and room that is made in a cycle can be used in the next one.
- A loop begins an iteration if `interval` cycles have passed since the last one and every `Take` finds enough;
  otherwise a bubble passes through its pipeline. It puts what a `Give` says into a FIFO `after` cycles after the
  iteration began. While one of these finds no room, the whole loop stands still, all its stages.
- A task has ended when its loops have given everything and the memory has answered all its writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import WiringError

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Which iterations of a loop do something: of every `period` the first `length`, counted from iteration `first`.

    Attributes
    ----------
    limit : at most so many iterations, None for all
    """

    first: int = 0
    period: int = 1
    length: int = 1
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.first < 0 or self.period < 1 or not 0 <= self.length <= self.period or (self.limit or 0) < 0:
            raise WiringError(f"{self}: expected first >= 0, period >= 1, length 0 to period, limit >= 0")

    def count(self, trips: int) -> int:
        """How many of the first `trips` iterations it holds for."""
        whole, rest = divmod(max(0, trips - self.first), self.period)
        found = whole * self.length + min(rest, self.length)
        return found if self.limit is None else min(found, self.limit)


ALWAYS = Pattern()


@dataclass(frozen=True)
class Take:
    """An iteration takes `amount` items out of a FIFO; it does not begin before they are there."""

    fifo: str
    amount: int = 1
    when: Pattern = ALWAYS

    def __post_init__(self) -> None:
        if self.amount < 1:
            raise WiringError(f"{self}: expected amount >= 1")


@dataclass(frozen=True)
class Give:
    """An iteration puts `amount` items into a FIFO, `after` cycles after it began (at least 1)."""

    fifo: str
    amount: int = 1
    when: Pattern = ALWAYS
    after: int = 1

    def __post_init__(self) -> None:
        if self.amount < 1:
            raise WiringError(f"{self}: expected amount >= 1")


@dataclass(frozen=True)
class Fifo:
    """A queue of items.

    Attributes
    ----------
    depth : items that it holds
    filled : items in it when the task starts, for instance the places of a ring that may be used
    """

    name: str
    depth: int
    filled: int = 0

    def __post_init__(self) -> None:
        if self.depth < 1 or not 0 <= self.filled <= self.depth:
            raise WiringError(f"{self}: expected depth >= 1 and filled 0 to depth")


@dataclass(frozen=True, kw_only=True)
class Loop:
    """A pipelined loop of one unit.

    Attributes
    ----------
    unit : that it is a part of
    trips : iterations
    interval : least number of cycles between two iterations
    start : cycles from the task's start to the first cycle in which it may begin an iteration
    """

    name: str
    unit: str
    trips: int
    interval: int = 1
    start: int = 0
    takes: Sequence[Take] = ()
    gives: Sequence[Give] = ()


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Beats that go between a FIFO and memory at a port, in order; an item of the FIFO is a beat.

    Memory is walked chunk by chunk: `beats` beats from each address of `chunks` on, in order, until `limit` beats. A
    burst has at most `burst` beats and does not leave its chunk; 1 means single beats, as where addresses do not follow
    each other or the loop does not let the port know that they do.

    Attributes
    ----------
    port : name of the AXI port
    chunks : byte addresses
    limit : beats in all, None for all of all chunks
    """

    port: str
    fifo: str
    write: bool = False
    chunks: tuple[int, ...]
    beats: int
    burst: int = 16
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.beats < 0 or self.burst < 1 or (self.limit or 0) < 0 or min(self.chunks, default=0) < 0:
            raise WiringError(
                f"transfer of FIFO {self.fifo}: expected addresses, beats and limit >= 0 and burst >= 1, got addresses "
                f"from {min(self.chunks, default=0)}, beats {self.beats}, limit {self.limit} and burst {self.burst}"
            )

    @property
    def total(self) -> int:
        """Beats that it moves."""
        every = len(self.chunks) * self.beats
        return every if self.limit is None else min(every, self.limit)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What happens at one call of one or more units.

    Attributes
    ----------
    unit : that was called
    kind, name : as traces show it

    Raises
    ------
    WiringError : two loops or FIFOs of one name; a FIFO that is not declared, is filled or emptied by nobody or by two,
        has transfers at both ends, or ends with other items in it than it began with; a number out of range
    """

    unit: str
    kind: str
    name: str
    fifos: Sequence[Fifo] = ()
    loops: Sequence[Loop] = ()
    transfers: Sequence[Transfer] = ()
    _checked: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        if not self._checked:
            check_task(self)

    def renamed(self, name: str) -> Task:
        """The same task for another piece of work."""
        return replace(self, name=name, _checked=True)


def check_task(task: Task) -> None:
    """Check that each FIFO has one end on each side, and that as much goes in as comes out.

    Raises
    ------
    WiringError : it does not
    """
    where = f"task {task.name} of {task.unit}"
    _check_names(task, where)
    put, taken = (dict[str, list[int]]() for _ in range(2))
    for loop in task.loops:
        if loop.trips < 0 or loop.interval < 1 or loop.start < 0:
            raise WiringError(f"{where}: loop {loop.name} needs trips >= 0, interval >= 1 and start >= 0")
        for give in loop.gives:
            if give.after < 1:
                raise WiringError(f"{where}: loop {loop.name} gives to {give.fifo} after {give.after} cycles, not >= 1")
            put.setdefault(give.fifo, []).append(give.amount * give.when.count(loop.trips))
        for take in loop.takes:
            taken.setdefault(take.fifo, []).append(take.amount * take.when.count(loop.trips))
    for transfer in task.transfers:
        (taken if transfer.write else put).setdefault(transfer.fifo, []).append(transfer.total)
    declared = {fifo.name: fifo for fifo in task.fifos}
    for name in sorted({*put, *taken} - set(declared)):
        raise WiringError(f"{where}: has no FIFO {name}")
    for name, fifo in declared.items():
        ends = len(put.get(name, ())), len(taken.get(name, ()))
        if ends != (1, 1):
            raise WiringError(f"{where}: FIFO {name} is filled by {ends[0]} and emptied by {ends[1]}, not by one each")
        left = fifo.filled + put[name][0] - taken[name][0]
        if left != fifo.filled:
            raise WiringError(f"{where}: FIFO {name} gets {put[name][0]} items and gives {taken[name][0]}")


def _check_names(task: Task, where: str) -> None:
    """Waits and ends are told by the names of loops and FIFOs."""
    for what, names in (("FIFOs", task.fifos), ("loops", task.loops)):
        seen = set[str]()
        for name in (each.name for each in names):
            if name in seen:
                raise WiringError(f"{where}: has two {what} of the name {name}")
            seen.add(name)
    read = {transfer.fifo for transfer in task.transfers if not transfer.write}
    for transfer in task.transfers:
        if transfer.write and transfer.fifo in read:
            raise WiringError(f"{where}: FIFO {transfer.fifo} has transfers at both ends; a loop must lie between them")

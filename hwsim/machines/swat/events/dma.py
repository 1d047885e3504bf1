"""DMA engines: each has one burst at a time on its way to a channel of memory and back."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from hwsim.dram.random_access.masters import Run
from hwsim.engine.clock import Clock
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import In, Out, Steps
from hwsim.engine.shared_memory import MemoryMaster
from hwsim.engine.unit import Unit
from hwsim.machines.swat.events.itinerary import Arrivals, Burst, Itinerary, Pass
from hwsim.machines.swat.spec import SwatSpec


class Engine(Unit):
    """What engines share: a burst's way to the memory and back.

    An engine stands between the clocks of fabric and memory, so its own clock is the tick. The memory takes a burst at
    the first edge of its clock after the way there; the answer counts from the first edge of the fabric's clock after
    the way back.

    Attributes
    ----------
    moved, bytes : bursts so far, and their bytes, with those that a buffer holds at the start
    """

    def __init__(self, diagram: Diagram, name: str, spec: SwatSpec) -> None:
        super().__init__(diagram, name, _tick(diagram), source="SWAT's DMA, ours: one burst at a time on a channel")
        self.fabric = diagram.clocks["fabric"]
        self.request = diagram.time_base.ticks_of_ns(spec.hbm.request_ns)
        self.response = diagram.time_base.ticks_of_ns(spec.hbm.response_ns)
        self.block_bytes = spec.hbm.burst_bytes
        self.blocks = spec.channel.address_mapping.capacity_bytes // self.block_bytes
        self.moved = 0
        self.bytes = 0

    def transfer(self, memory: MemoryMaster, burst: Burst, *, write: bool) -> Steps[None]:
        """Move a burst and wait for the answer; where its block lies moves nothing, so they lie one after the other."""
        address = self.moved % self.blocks * self.block_bytes + burst.offset
        self.moved += 1
        self.bytes += burst.size
        yield self.env.timeout(self.request)
        yield from memory.access(Run(write=write, address=address, size=burst.size))
        yield self.env.timeout(self.response)
        yield self.env.timeout(self.fabric.wait(self.now))


class Reader(Engine):
    """Reads a stream of rows into a buffer from which LOAD takes them.

    Parameters
    ----------
    room : rows that the buffer holds
    full : bursts that it holds at the start

    Attributes
    ----------
    arrived : the number of each burst once it is there, in order
    freed : how many rows LOAD has taken
    """

    arrived = Out[int]()
    freed = In[int]()
    memory = MemoryMaster()

    def __init__(
        self, diagram: Diagram, name: str, spec: SwatSpec, *, stream: Arrivals, room: int, full: int = 0
    ) -> None:
        super().__init__(diagram, name, spec)
        self.feed = stream
        self.room = room
        self.full = full
        self.moved = full
        self.bytes = sum(burst.size for burst in stream.bursts[:full])

    def run(self) -> Steps[None]:
        self.room -= sum(burst.rows for burst in self.feed.bursts[: self.full])
        for number in range(self.full):
            yield from self.arrived.put(number)
        yield from self.read(enumerate(self.feed.bursts[self.full :], self.full))
        yield from self.forget_room()

    def read(self, bursts: Iterable[tuple[int, Burst]]) -> Steps[None]:
        """Read each burst as soon as there is room for it and the one before has arrived."""
        for number, burst in bursts:
            while self.room < burst.rows:
                self.room += yield from self.freed.get()
            self.room -= burst.rows
            yield from self.transfer(self.memory_of(burst), burst, write=False)
            yield from self.arrived.put(number)

    def memory_of(self, burst: Burst) -> MemoryMaster:
        """Where a burst lies."""
        return self.memory

    def forget_room(self) -> Steps[None]:
        """Room that is left by the last rows is not used any more."""
        while True:
            yield from self.freed.get()


class CarriedReader(Reader):
    """Reads the partial rows of a pass once the memory holds all that the pass before wrote."""

    written = In[Pass]()
    swapped = MemoryMaster()

    def __init__(self, diagram: Diagram, name: str, spec: SwatSpec, *, itinerary: Itinerary, room: int) -> None:
        super().__init__(diagram, name, spec, stream=itinerary.carried, room=room)
        self.passes = itinerary.passes

    def run(self) -> Steps[None]:
        read = 0
        for before, each in zip(self.passes, self.passes[1:]):
            if before.follows:
                yield from self.written.get()
                yield from self.read(enumerate(each.carried, read))
                read += len(each.carried)
        yield from self.forget_room()

    def memory_of(self, burst: Burst) -> MemoryMaster:
        return self.swapped if burst.swapped else self.memory


class Writer(Engine):
    """Writes the bursts that DIV&OUT has filled.

    Attributes
    ----------
    bursts : in two banks; the last one of a pass comes with the pass if another one reads what it wrote
    free : tick of the last answer
    """

    bursts = In[tuple[Burst, Pass | None]]()
    written = Out[Pass]()
    memory = MemoryMaster()
    swapped = MemoryMaster()

    def __init__(self, diagram: Diagram, name: str, spec: SwatSpec, *, busy_until: int) -> None:
        super().__init__(diagram, name, spec)
        self.free = busy_until

    def run(self) -> Steps[None]:
        yield self.env.timeout(max(0, self.free - self.now))
        while True:
            burst, ends = yield from self.bursts.take()
            yield from self.transfer(self.swapped if burst.swapped else self.memory, burst, write=True)
            self.bursts.release()
            self.free = self.now
            if ends:
                yield from self.written.put(ends)


def _tick(diagram: Diagram) -> Clock:
    return Clock(name="ticks", freq_hz=Fraction(diagram.time_base.ticks_per_second), period_ticks=1)

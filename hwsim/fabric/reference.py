"""The slow, obvious fabric: plain objects, cycle by cycle, with the slow memory on its own clock beside it.

The rules are those of docs/fabric.md. It is the oracle of the compiled player, and has its interface.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count

from hwsim.dram.device.tables import FOREVER
from hwsim.dram.random_access.masters import Master, Run
from hwsim.dram.random_access.reference import ReferenceMemory
from hwsim.engine.clock import TimeBase
from hwsim.errors import WiringError
from hwsim.fabric.memory_system import AxiPort, MemorySystem
from hwsim.fabric.player import PortUse
from hwsim.fabric.reference_loops import ReferenceFifo, ReferenceLoop
from hwsim.fabric.reference_ports import ReferencePart, ReferenceReads, ReferenceTransfer, ReferenceWrites
from hwsim.fabric.slots import Ended
from hwsim.fabric.task import Fifo, Task


@dataclass(kw_only=True, eq=False)
class _Running:
    """A task that is played."""

    task: Task
    begun: int
    fifos: dict[str, ReferenceFifo]
    loops: list[ReferenceLoop]
    transfers: list[ReferenceTransfer]

    @property
    def ended(self) -> int | None:
        """The cycle after its last one, if that has come."""
        ends = [loop.ended for loop in self.loops] + [transfer.ended for transfer in self.transfers]
        return None if None in ends else max(end for end in ends if end is not None)

    def result(self, ended: int) -> Ended:
        task, begun = self.task, self.begun
        return Ended(
            task=task,
            begun=begun,
            ended=ended,
            waits_for_items={
                loop.name: {take.fifo: self.fifos[take.fifo].waits_for_items for take in loop.takes}
                for loop in task.loops
            },
            waits_for_room={
                loop.name: {give.fifo: self.fifos[give.fifo].waits_for_room for give in loop.gives}
                for loop in task.loops
            },
            loops={each.loop.name: (each.ended or 0) - begun for each in self.loops},
            transfers={each.transfer.fifo: (each.ended or 0) - begun for each in self.transfers},
        )


class ReferenceFabric:
    """Plays tasks as `FabricPlayer` does.

    Attributes
    ----------
    cycle : everything before it has happened
    memory : played up to the cycle that has begun by then
    """

    def __init__(self, base: TimeBase, system: MemorySystem, *, ideal: bool = False) -> None:
        self.system, self.ideal = system, ideal
        self.cycle = 0
        self._clock, self._memory_clock = base.clocks["fabric"], base.clocks["memory"]
        self._request, self._response = base.ticks_of_ns(system.request_ns), base.ticks_of_ns(system.response_ns)
        masters = [
            Master(name=f"{port.name} {way}", every=system.every(port))
            for port in system.controller_ports
            for way in ("reads", "writes")
        ]
        self.memory = ReferenceMemory(
            system.mapping, system.parameters, masters, policy=system.policy, width=system.mapping.channels
        )
        self._asked: dict[int, ReferencePart] = {}  # by ticket
        self._ports = [
            (
                ReferenceReads(port=port, limit=port.outstanding_reads, send=partial(self._ask_memory, port, False)),
                ReferenceWrites(port=port, limit=port.outstanding_writes, send=partial(self._ask_memory, port, True)),
            )
            for port in system.ports
        ]
        self._running: dict[int, _Running] = {}

    def start(self, task: Task) -> int:
        """Start a task in the present cycle; return its number, the lowest that no task has.

        Raises
        ------
        WiringError : there is nothing to do in it, no such port, a transfer that leaves the memory
        """
        if not self.ideal:
            self.system.check(task)
        number = _lowest(set(self._running))
        fifos = {fifo.name: self._fifo(task, fifo) for fifo in task.fifos}
        loops = [ReferenceLoop(loop=loop, fifos=fifos, begun=self.cycle) for loop in task.loops]
        running = _Running(task=task, begun=self.cycle, fifos=fifos, loops=loops, transfers=[])
        self._running[number] = running
        if not self.ideal:
            self._start_transfers(running)
        if not running.loops and not running.transfers:
            raise WiringError(f"task {task.name} of {task.unit}: there is nothing to do in it")
        return number

    def advance(self, until: int) -> list[tuple[int, Ended]]:
        """Play the cycles before `until`, or until a task ends; return what has ended.

        Raises
        ------
        WiringError : without an end: the tasks wait for each other, or their FIFOs are too small
        """
        while self.cycle < until:
            happened = self._play_cycle()
            if not happened and until >= FOREVER:
                raise WiringError(f"deadlock in cycle {self.cycle}: {'; '.join(self._blocked())}")
            self.cycle += 1
            found = self._collect()
            if found:
                return found
        return []

    def skip_to(self, cycle: int) -> None:
        """Pass over cycles in which no task is played."""
        if self._running:
            raise WiringError("cycles in which tasks are played cannot be passed over")
        self.cycle = max(cycle, self.cycle)

    def settle_memory(self) -> ReferenceMemory:
        """The memory before the first cycle in which a request of the present one could reach it."""
        self._play_memory((self._clock.ticks(self.cycle) + self._request) // self._memory_clock.period_ticks)
        return self.memory

    def port_use(self) -> list[PortUse]:
        """What passed the ports so far, reads before writes."""
        return [
            PortUse(
                port=side.port.name,
                write=write,
                beats=side.beats,
                size_bytes=side.beats * side.port.beat_bytes,
                transactions=side.bursts,
                busy_cycles=side.beats * side.port.ratio,
            )
            for sides in self._ports
            for write, side in zip((False, True), sides)
        ]

    # A cycle

    def _play_cycle(self) -> bool:
        """Play the present cycle; whether anything happened or is under way."""
        self._play_memory(self._clock.ticks(self.cycle) // self._memory_clock.period_ticks)
        happened = []
        for reads, writes in self._ports:
            happened += [reads.step(self.cycle), writes.step(self.cycle)]
        for running in self._running.values():
            happened += [loop.step(self.cycle) for loop in running.loops if loop.ended is None]
        for running in self._running.values():
            for fifo in running.fifos.values():
                fifo.end_cycle()
        return any(happened) or any(side.parts for sides in self._ports for side in sides)

    def _play_memory(self, until: int) -> None:
        """Play the memory's cycles before `until`, and note when its answers are back."""
        for done in self.memory.advance(max(until, self.memory.cycle)):
            back = self._memory_clock.ticks(done.cycle) + self._response
            self._asked.pop(done.ticket).ready = self._clock.edge(back)

    def _ask_memory(self, port: AxiPort, write: bool, part: ReferencePart, leaves: int) -> None:
        """Send a part that leaves the fabric in a cycle."""
        names = [each.name for each in self.system.controller_ports]
        arrival = self._memory_clock.edge(self._clock.ticks(leaves) + self._request)
        size = part.beats * port.beat_bytes
        run = Run(write=write, address=part.address, size=size, arrival=arrival)
        self._asked[self.memory.offer(2 * names.index(port.controller_port) + write, run)] = part

    def _collect(self) -> list[tuple[int, Ended]]:
        """Take out the tasks that have ended."""
        ended = [(number, running.ended) for number, running in sorted(self._running.items())]
        found = []
        for number, cycle in ended:
            if cycle is not None:
                running = self._running.pop(number)
                found.append((number, running.result(cycle)))
                for reads, writes in self._ports:
                    for side in (reads, writes):
                        side.transfers = [each for each in side.transfers if each not in running.transfers]
        return found

    def _blocked(self) -> Iterator[str]:
        for running in self._running.values():
            for loop in running.loops:
                if loop.blocked and loop.ended is None:
                    yield f"loop {loop.loop.name} of task {running.task.name} for {loop.blocked}"

    # What is set up

    def _fifo(self, task: Task, fifo: Fifo) -> ReferenceFifo:
        """A FIFO; beside an ideal port it is never empty, or never full."""
        ends = [transfer.write for transfer in task.transfers if transfer.fifo == fifo.name]
        if not self.ideal or not ends:
            return ReferenceFifo(depth=fifo.depth, items=fifo.filled)
        return ReferenceFifo(depth=math.inf, items=0 if ends[0] else math.inf)

    def _start_transfers(self, running: _Running) -> None:
        """Give each transfer of a task its place."""
        names = [port.name for port in self.system.ports]
        for transfer in running.task.transfers:
            if not transfer.total:
                continue
            taken = {each.place for other in self._running.values() for each in other.transfers}
            reads, writes = self._ports[names.index(transfer.port)]
            side = writes if transfer.write else reads
            started = ReferenceTransfer.of(transfer, side.port, _lowest(taken), running.fifos[transfer.fifo])
            running.transfers.append(started)
            side.transfers = sorted([*side.transfers, started], key=lambda each: each.place)


def _lowest(taken: set[int]) -> int:
    """The lowest number that is not taken."""
    return next(number for number in count() if number not in taken)

"""A fabric in a block diagram: its units call tasks, which are played to the cycle with the memory that they share.

    fabric = Fabric(diagram, "ddr", system=spec.memory_system)
    norm = FabricUnit.of(contract, diagram, "layernorm", diagram.clocks["fabric"])
    fabric.attach(norm, reads=("inout2",), writes=("inout1",))
    fabric.join(scores, softmax, depth=2)                        # a FIFO between two units

Between calls SimPy runs; while tasks are played, the compiled player does, from one event of SimPy to the next. A task
that reads or writes at a port to which its unit is not attached, or that passes items to a unit which is not joined, is
an error: what is played is what is wired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import simpy

from hwsim.dram.device.tables import FOREVER
from hwsim.engine.arbiter import LastOfTick
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import In, Steps
from hwsim.engine.trace import Cause
from hwsim.engine.unit import Unit
from hwsim.errors import WiringError
from hwsim.fabric.calls import Call
from hwsim.fabric.memory_system import MemorySystem
from hwsim.fabric.player import FabricPlayer
from hwsim.fabric.slots import Ended
from hwsim.fabric.task import Task
from hwsim.fabric.waits import unit_waits

U = TypeVar("U", bound=Unit)


class FabricUnit(Unit):
    """A unit that carries out calls one after the other, each as soon as those that it depends on are done."""

    commands = In[Call]()
    fabric: Fabric

    def record_stall(self, cause: Cause, since: int) -> None:
        """A unit without a command has no work: it is idle, and does not wait."""
        if cause != self.commands.cause:
            super().record_stall(cause, since)

    def run(self) -> Steps[None]:
        while True:
            call = yield from self.commands.get()
            for other in call.after:
                if not other.done.processed:
                    yield other.done
            yield self.fabric.call(call)


class Fabric(Unit):
    """The ports, the memory behind them, and the player of what units do with them.

    Parameters
    ----------
    ideal : every beat to be read is there, every beat to be written is taken, and nothing reaches the memory
    ended : called with what is known of each task when it has ended
    """

    def __init__(
        self,
        diagram: Diagram,
        name: str,
        *,
        system: MemorySystem,
        ideal: bool = False,
        ended: Callable[[Ended], None] | None = None,
    ) -> None:
        source = f"DRAM standard {system.mapping.standard.name}"
        super().__init__(diagram, name, diagram.clocks["fabric"], source=source)
        self.player = FabricPlayer(diagram.time_base, system, ideal=ideal)
        self._ended = ended
        self._reads: dict[str, frozenset[str]] = {}
        self._writes: dict[str, frozenset[str]] = {}
        self._joined: dict[tuple[str, str], int] = {}
        self._calls: dict[int, Call] = {}
        self._planning = False

    def attach(self, unit: FabricUnit, *, reads: Sequence[str] = (), writes: Sequence[str] = ()) -> None:
        """Let a unit read and write at AXI ports.

        Raises
        ------
        WiringError : no such port, a unit of another diagram
        """
        known = {port.name for port in self.player.system.ports}
        for port in (*reads, *writes):
            if port not in known:
                raise WiringError(
                    f"unit {unit.name}: there is no AXI port {port}; there are {', '.join(sorted(known))}"
                )
        if unit.diagram is not self.diagram:
            raise WiringError(f"unit {unit.name} and fabric {self.name}: belong to two diagrams")
        unit.fabric = self
        self._reads[unit.name] = frozenset(reads)
        self._writes[unit.name] = frozenset(writes)

    def join(self, source: Unit, sink: Unit, *, depth: int) -> None:
        """Join two units by a FIFO of `depth` items."""
        self._joined[source.name, sink.name] = depth

    def describe(self) -> str:
        """The fabric and what is wired to it, a line each."""
        lines = [super().describe()]
        for name in self._reads:
            lines.append(f"  {name}: reads {_listed(self._reads[name])}; writes {_listed(self._writes[name])}")
        lines += [f"  {source} -> {sink}: depth {depth}" for (source, sink), depth in self._joined.items()]
        return "\n".join(lines)

    def call(self, call: Call) -> simpy.Event:
        """Start a task on the next edge; the event fires when it has ended.

        Raises
        ------
        WiringError : it uses what its units are not wired to
        """
        self._check(call.task)
        cycle = self.clock.edge(self.now)
        if self._calls:
            assert cycle == self.player.cycle, "the player is never ahead of SimPy while something can still start"
        else:
            self.player.skip_to(cycle)
        self._calls[self.player.start(call.task)] = call
        self._plan()
        return call.done

    def _plan(self) -> None:
        """Play on once everything of this tick was started."""
        if not self._planning:
            self._planning = True
            LastOfTick(self.env, self.clock.wait(self.now), self._play)

    def _play(self, _: simpy.Event) -> None:
        """Play to the next event of SimPy, or to the end of a task before it."""
        self._planning = False
        ahead = self.env.peek()
        until = FOREVER if ahead == float("inf") else self.clock.edge(int(ahead))
        if until <= self.player.cycle:  # others are the last of this tick too: let them go first
            self._plan()
            return
        ended = self.player.advance(until)
        delay = self.clock.ticks(self.player.cycle) - self.now
        wake = self.env.timeout(delay)
        wake.callbacks.append(lambda _: self._finish(ended))

    def _finish(self, ended: list[tuple[int, Ended]]) -> None:
        for slot, each in ended:
            call = self._calls.pop(slot)
            self._record(each)
            call.done.succeed(each)
            if self._ended:
                self._ended(each)
        if self._calls:
            self._plan()

    def _record(self, ended: Ended) -> None:
        """Busy time and waits of the units of a task."""
        task, period = ended.task, self.clock.period_ticks
        begun, end = ended.begun * period, ended.ended * period
        for unit in dict.fromkeys([task.unit, *(loop.unit for loop in task.loops)]):
            waits = {cause: cycles * period for cause, cycles in unit_waits(ended, unit).items()}
            self.trace.record_work(unit, task.kind, task.name, begun, end, waits)

    def _check(self, task: Task) -> None:
        for transfer in task.transfers:
            allowed = (self._writes if transfer.write else self._reads).get(task.unit, frozenset())
            if transfer.port not in allowed:
                what = "write" if transfer.write else "read"
                raise WiringError(f"task {task.name}: unit {task.unit} is not wired to {what} at port {transfer.port}")
        for source, sink, fifo in _passed_on(task):
            if (source, sink) not in self._joined:
                raise WiringError(f"task {task.name}: units {source} and {sink} are not joined, as FIFO {fifo} needs")


def _passed_on(task: Task) -> Iterator[tuple[str, str, str]]:
    """FIFOs of a task between loops of two units: source, sink, name."""
    givers = {give.fifo: loop.unit for loop in task.loops for give in loop.gives}
    for loop in task.loops:
        for take in loop.takes:
            if givers.get(take.fifo, loop.unit) != loop.unit:
                yield givers[take.fifo], loop.unit, take.fifo


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"

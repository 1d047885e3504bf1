"""A DRAM that several units of a diagram share, exact to the cycle of its commands.

    class Loader(Unit):
        memory = MemoryMaster(outstanding=16)

        def run(self) -> Steps[None]:
            first = self.memory.issue(Run(write=False, address=0, stride=64, count=256))
            self.memory.post(Run(write=True, address=1 << 20, stride=64, count=256))     # nobody waits for it
            yield from self.memory.wait(first)

    SharedMemory(diagram, "ddr", diagram.clocks["ddr"], masters=[loader.memory, ...], mapping=..., parameters=...)

The memory is played when somebody wants to know: a completion that a process waits for is one event, all others are
none. Since a later access of another unit may delay it, the event is found anew when something is offered before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import simpy

from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.masters import Master, Policy, Run
from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.dram.random_access.parameters import ControllerParameters
from hwsim.dram.random_access.served import Served
from hwsim.engine.arbiter import LastOfTick
from hwsim.engine.clock import Clock
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import Port, Steps
from hwsim.engine.unit import Unit
from hwsim.errors import WiringError


class MemoryMaster(Port):
    """A unit's port to a shared memory.

    Parameters
    ----------
    outstanding : accesses that may be taken and not complete, or None for as many as the memory's queues hold
    width, every : up to `width` accesses are taken in one cycle of the memory, then none for `every - 1` cycles
    """

    kind = "memory"
    memory: SharedMemory | None = None

    def __init__(self, *, outstanding: int | None = None, width: int = 1, every: int = 1) -> None:
        self.limits = (outstanding, width, every)

    @property
    def peer(self) -> str | None:
        return self.memory.name if self.memory else None

    @property
    def wish(self) -> str:
        return f"data at {self} from {self.peer}"

    def close(self) -> None:
        """Runs that were offered are still served."""

    def master(self) -> Master:
        """The master that the port is for the memory."""
        outstanding, width, every = self.limits
        return Master(name=str(self), outstanding=outstanding, width=width, every=every)

    def access(self, run: Run) -> Steps[None]:
        """Offer a run and wait until it is complete."""
        yield from self.wait(self.issue(run))

    def issue(self, run: Run) -> int:
        """Offer a run; return the ticket with which to wait for it."""
        return self._connected().offer(self, run, completion=True)

    def post(self, run: Run) -> None:
        """Offer a run that nobody waits for."""
        self._connected().offer(self, run, completion=False)

    def wait(self, ticket: int) -> Steps[None]:
        """Wait until a run is complete, then for the unit's next edge."""
        asked = self.unit.now
        done = self._connected().completion(ticket)
        if done is not None:
            yield from self._stand_still(done)
        yield from self._go_on(asked, self.unit.now)

    def _connected(self) -> SharedMemory:
        if self.memory is None:
            raise WiringError(f"port {self}: is not connected")
        return self.memory


class SharedMemory(Unit):
    """Channels of a DRAM and their controllers, on the memory's clock.

    A run that is offered in a tick may be taken from the next edge of that clock on.

    Parameters
    ----------
    masters : in the order in which `priority` prefers them
    policy, width : as `MemoryPort` has them
    played : a memory that was played before, in another diagram, by masters of the same names; None for a new one

    Attributes
    ----------
    port : the memory itself
    """

    def __init__(
        self,
        diagram: Diagram,
        name: str,
        clock: Clock,
        *,
        masters: Sequence[MemoryMaster],
        mapping: AddressMapping,
        parameters: ControllerParameters,
        policy: Policy = "round_robin",
        width: int | None = None,
        played: MemoryPort | None = None,
    ) -> None:
        super().__init__(diagram, name, clock, source=f"DRAM standard {mapping.standard.name}")
        for master in masters:
            master.require_free(name)
            if master.unit.diagram is not diagram:
                raise WiringError(f"port {master} and memory {name}: belong to two diagrams")
            master.memory = self
        self.port = played or MemoryPort(
            mapping, parameters, [master.master() for master in masters], policy=policy, width=width
        )
        self._open: set[int] = set()  # tickets that are not complete, as far as is known
        self._awaited: dict[int, simpy.Event] = {}
        self._plan = 0  # number of the present plan; events of earlier ones are void
        self._planning = False

    def served(self) -> Served:
        """What the memory has done up to now, without what is still to come."""
        self._advance()
        return self.port.served()

    def offer(self, master: MemoryMaster, run: Run, *, completion: bool) -> int:
        """Offer a run from the next edge on."""
        self._advance()
        at = max(self.clock.edge(self.now), run.arrival)
        ticket = self.port.offer(str(master), replace(run, arrival=at), completion=completion)
        if completion:
            self._open.add(ticket)
        self._plan_again()
        return ticket

    def completion(self, ticket: int) -> simpy.Event | None:
        """The event of a run's completion, or None if it is complete."""
        self._advance()
        if ticket not in self._open:
            return None
        if ticket not in self._awaited:
            self._awaited[ticket] = self.env.event()
            self._plan_again()
        return self._awaited[ticket]

    def _advance(self) -> None:
        """Bring the memory up to now; what is offered from now on arrives later."""
        cycle = self.now // self.clock.period_ticks
        if cycle > self.port.cycle:
            self._note(cycle)

    def _note(self, cycle: int) -> None:
        for done in self.port.advance(cycle):
            self._open.discard(done.ticket)
            event = self._awaited.pop(done.ticket, None)
            if event:
                event.succeed()

    def _plan_again(self) -> None:
        """Find the next completion that somebody waits for, once everything of this tick was offered."""
        if self._awaited and not self._planning:
            self._planning = True
            LastOfTick(self.env, 0, self._foresee)

    def _foresee(self, _: simpy.Event) -> None:
        self._planning = False
        self._plan += 1
        plan, cycle = self._plan, self.port.foresee(self._awaited)
        if cycle is None:
            return
        wake = self.env.timeout(self.clock.ticks(cycle) - self.now)
        wake.callbacks.append(lambda _: self._wake(plan, cycle))

    def _wake(self, plan: int, cycle: int) -> None:
        if plan == self._plan:
            self._note(cycle)
            self._plan_again()

"""A resource that several units share; a policy, given as data, chooses who is served next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, Self, TypeVar

import simpy
from simpy.events import EventPriority

from hwsim.engine.channel import Bell
from hwsim.engine.clock import Clock
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import Port, Steps
from hwsim.engine.unit import Unit
from hwsim.errors import WiringError, nearest

J = TypeVar("J")
Asking = Mapping[int, int]  # number of a master with a request -> the tick in which it asked
LAST = EventPriority(2)  # after all events that SimPy itself schedules in a tick: its least urgent priority is 1

# (masters that ask, master served last or -1) -> master served now. Masters are numbered in the order of the list.
POLICIES: Mapping[str, Callable[[Asking, int], int]] = {
    "round_robin": lambda asking, last: min(asking, key=lambda master: (master <= last, master)),
    "priority": lambda asking, last: min(asking),
    "oldest": lambda asking, last: min(asking, key=lambda master: (asking[master], master)),
}


class Service(NamedTuple):
    """When the resource can begin with another request, and when the answer to this one is ready, in ticks."""

    free: int
    done: int


class Master(Port, Generic[J]):
    """A unit's port to a resource that it shares with others.

    Attributes
    ----------
    outstanding : number of requests that are not answered yet
    """

    kind = "memory"
    arbiter: Arbiter[J] | None = None
    outstanding = 0
    _answered: Bell

    def bind(self, unit: Unit, name: str) -> Self:
        port = super().bind(unit, name)
        port._answered = Bell(unit.env)
        return port

    @property
    def peer(self) -> str | None:
        return self.arbiter.name if self.arbiter else None

    @property
    def wish(self) -> str:
        return f"an answer at {self} from {self.peer}"

    def close(self) -> None:
        """Requests that are not answered yet are still served."""

    def access(self, job: J) -> Steps[None]:
        """Ask for a job and wait until it is done."""
        done = yield from self.issue(job)
        yield from self.wait(done)

    def issue(self, job: J) -> Steps[simpy.Event]:
        """Ask for a job, once the limit of outstanding requests allows it; the event fires when it is done."""
        if self.arbiter is None:
            raise WiringError(f"port {self}: is not connected")
        asked = self.unit.now
        while self.outstanding == self.arbiter.outstanding:
            yield from self._stand_still(self._answered.listen())
        yield from self._go_on(asked, self.unit.now)
        self.outstanding += 1
        return self.arbiter.ask(self, job)

    def wait(self, done: simpy.Event) -> Steps[None]:
        """Wait for the event of a request."""
        asked = self.unit.now
        yield from self._stand_still(done)
        yield from self._go_on(asked, self.unit.now)

    def answer(self) -> None:
        """A request of the port is done."""
        self.outstanding -= 1
        self._answered.ring()


class Request(NamedTuple, Generic[J]):
    """A job, the tick of the request, and the event that fires when the job is done."""

    job: J
    tick: int
    done: simpy.Event


class Arbiter(Unit, Generic[J]):
    """Serves one request after another, those of a master in order.

    The choice is made on an edge of the arbiter's clock on which the resource is free. It is the last event of a tick,
    so all requests of that tick take part, regardless of the order in which their processes ran. (A `simpy.Resource`
    grants at the moment of the request: the first process to call in a tick gets it.)

    Policies, masters numbered as they are listed
    ---------------------------------------------
    round_robin : the next master after the one served last
    priority : the first master
    oldest : the master whose request has waited longest; in a tie, the first of these

    Parameters
    ----------
    masters : the ports that share the resource
    outstanding : how many requests of a master may be unanswered
    serve : (job, tick in which it begins) -> when the resource is free, and when the answer is there
    """

    def __init__(
        self,
        diagram: Diagram,
        name: str,
        clock: Clock,
        *,
        source: str,
        masters: Sequence[Master[J]],
        policy: str,
        outstanding: int,
        serve: Callable[[J, int], Service],
    ) -> None:
        super().__init__(diagram, name, clock, source=source)
        if policy not in POLICIES:
            raise WiringError(f"arbiter {name}: no policy {policy!r}{nearest(policy, POLICIES)}")
        if outstanding < 1:
            raise WiringError(f"arbiter {name}: outstanding must be at least 1, got {outstanding}")
        for master in masters:
            master.require_free(name)
            if master.unit.diagram is not diagram:
                raise WiringError(f"port {master} and arbiter {name}: belong to two diagrams")
            master.arbiter = self
        self.masters = tuple(masters)
        self.policy = policy
        self.outstanding = outstanding
        self.serve = serve
        self._queues: dict[Master[J], deque[Request[J]]] = {master: deque() for master in masters}
        self._last = -1
        self._free = 0
        self._choosing = False  # a choice is scheduled

    def describe(self) -> str:
        shared = ", ".join(map(str, self.masters))
        return f"arbiter {self.name}: {self.policy} of {shared}; {self.outstanding} outstanding; clock {self.clock}"

    def ask(self, master: Master[J], job: J) -> simpy.Event:
        """Enter a request; the event fires when it is done."""
        request = Request(job, self.now, self.env.event())
        self._queues[master].append(request)
        self._schedule_choice()
        return request.done

    def _schedule_choice(self) -> None:
        if self._choosing or not any(self._queues.values()):
            return
        begin = max(self.now, self._free)
        LastOfTick(self.env, begin + self.clock.wait(begin) - self.now, self._choose)
        self._choosing = True

    def _choose(self, _: simpy.Event) -> None:
        self._choosing = False
        heads = {number: queue[0].tick for number, queue in enumerate(self._queues.values()) if queue}
        self._last = POLICIES[self.policy](heads, self._last)
        master = self.masters[self._last]
        request = self._queues[master].popleft()
        now = self.now
        self._free, done = self.serve(request.job, now)
        if self._free <= now or done <= now:
            raise WiringError(f"arbiter {self.name}: a request must take time; begun in tick {now}, done in {done}")
        self.trace.record_part(self.name, "access", str(master), now, self._free)
        self.env.timeout(done - now).callbacks.append(lambda _: _finish(master, request))
        self._schedule_choice()


class LastOfTick(simpy.Event):
    """An event that comes after all others of its tick."""

    def __init__(self, env: simpy.Environment, delay: int, then: Callable[[simpy.Event], None]) -> None:
        super().__init__(env)
        self.callbacks.append(then)
        self._ok, self._value = True, None
        env.schedule(self, LAST, delay)


def _finish(master: Master[J], request: Request[J]) -> None:
    master.answer()
    request.done.succeed()

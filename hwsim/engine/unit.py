"""A unit of a machine: something with a clock that works for some time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, TypeVar

from hwsim.engine.clock import Clock
from hwsim.engine.port import Out, Port, Steps
from hwsim.engine.trace import Cause
from hwsim.engine.unit_spec import UnitSpec
from hwsim.errors import WiringError
from hwsim.rtl.contract import Contract, Resources

if TYPE_CHECKING:
    from hwsim.engine.diagram import Diagram

T = TypeVar("T")
P = TypeVar("P", bound=Port)


class Unit:
    """A box of the block diagram. A machine's own units derive from it, declare ports and say what `run` does.

        class Gelu(Unit):
            x = In[Tile]()
            y = Out[Tile]()

            def run(self) -> Steps[None]:
                while True:
                    tile = yield from self.x.get()
                    yield from self.work(tile.beats, kind="gelu", name=tile.name)
                    yield from self.y.put(tile)

        gelu = Gelu.of(GeluDeltaContract.from_preset("rtl"), diagram, "gelu", diagram.clocks["pl"])

    Work begins and ends on edges of the unit's clock. Its work and its waits are recorded in the trace. A unit without
    `run` is booked by another process, for instance a sequencer.

    Attributes
    ----------
    source : where the unit's timing comes from, shown in reports
    contract : what it charges; None for a unit whose cycles come from elsewhere
    copies : number of equal blocks, as the contract describes one, that work in parallel
    ports : by name
    ended : its process is over
    """

    def __init__(
        self,
        diagram: Diagram,
        name: str,
        clock: Clock,
        *,
        source: str,
        contract: Contract | None = None,
        copies: int = 1,
    ) -> None:
        self.diagram = diagram
        self.env = diagram.env
        self.trace = diagram.trace
        self.name = name
        self.clock = clock
        self.source = source
        self.contract = contract
        self.copies = copies
        self.ports: dict[str, Port] = {}
        self.ended = False
        for declared in reversed(type(self).__mro__):
            for label, port in vars(declared).items():
                if isinstance(port, Port):
                    setattr(self, label, self.add_port(label, port))
        diagram.add(self)

    @classmethod
    def of(cls, contract: Contract, diagram: Diagram, name: str, clock: Clock, *, copies: int = 1) -> Self:
        """A unit that charges a contract; the contract says where its timing comes from and whether it is proven.

        For units with this constructor; a class whose constructor takes more passes the contract to it itself.
        """
        return cls(diagram, name, clock, source=contract.source, contract=contract, copies=copies)

    @classmethod
    def stated(cls, unit: UnitSpec, diagram: Diagram, clock: Clock) -> Self:
        """A unit as a machine states it in its list of units (`Machine.units`)."""
        return cls(diagram, unit.name, clock, source=unit.source, contract=unit.contract, copies=unit.count)

    @property
    def now(self) -> int:
        """The current tick."""
        now: int = self.env.now  # type: ignore[assignment]  # all delays are integers
        return now

    @property
    def proven(self) -> bool:
        """Whether our RTL is proven to take the cycles that the unit charges."""
        return self.contract is not None and self.contract.proven

    @property
    def stalls(self) -> dict[Cause, int]:
        """Ticks in which the unit had work but waited, by cause."""
        return dict(self.trace.stalls.get(self.name, {}))

    @property
    def busy(self) -> int:
        """Ticks in which the unit worked."""
        return self.trace.busy.get(self.name, 0)

    def resources(self) -> Resources:
        """The resources of all copies together; none without a contract that states them."""
        return self.contract.resources() * self.copies if self.contract else Resources()

    def describe(self) -> str:
        """One line about the unit, as a diagram lists it."""
        what = f"source: {self.source}"
        if contract := self.contract:
            what = f"{contract.block}, {contract.preset}" + (", proven" if self.proven else "")
        copies = f" x {self.copies}" if self.copies > 1 else ""
        return f"unit {self.name}{copies}: {what}; clock {self.clock}"

    def add_port(self, name: str, declared: P) -> P:
        """Add a port like the one given; ports that a class declares are added without this.

        Raises
        ------
        WiringError : there is a port of that name
        """
        if name in self.ports:
            raise WiringError(f"unit {self.name}: has two ports called {name}")
        port = declared.bind(self, name)
        self.ports[name] = port
        return port

    def run(self) -> Steps[None]:
        """The unit's process."""
        yield from ()

    def work(self, job: Any, *, kind: str, name: str) -> Steps[None]:
        """Work on a job for the cycles that the contract states, begun on an edge.

        Parameters
        ----------
        job : in whatever the contract counts work in
        """
        yield from self.occupy(self._charge(job), kind=kind, name=name)

    def stream(self, jobs: Iterable[tuple[Any, T]], out: Out[T], *, kind: str, name: str) -> Steps[None]:
        """Work on a job whose results leave one by one, each as soon as it is ready by the contract.

        A block cannot know what comes later. So result k leaves in the cycle in which a job that ends with it would be
        done, and the contract's cycles for whole jobs say when each result leaves. While a result is blocked, the unit
        stops.

        Parameters
        ----------
        jobs : for each result, the part of the job that ends with it, as the contract counts work, and the result
        """
        done = 0
        for job, result in jobs:
            cycles = self._charge(job)
            yield from self.occupy(cycles - done, kind=kind, name=name)
            yield from out.put(result)
            done = cycles

    def occupy(self, cycles: int, *, kind: str, name: str) -> Steps[None]:
        """Work for some cycles of the unit's clock, begun on an edge; other units may work meanwhile."""
        now = self.now
        start = now + self.ticks_to_edge(now)
        end = start + self.clock.ticks(cycles)
        self.trace.record_part(self.name, kind, name, start, end)
        yield self.env.timeout(end - now)

    def book(self, now: int, cycles: int, kind: str, name: str) -> int:
        """Record work that begins on the first edge from tick `now` on; return the tick in which it is done.

        For a sequencer that hands over work piece by piece while nothing else can happen: it may wait once for many
        pieces.
        """
        period = self.clock.period_ticks
        start = now + -now % period
        end = start + cycles * period
        self.trace.record(self.name, kind, name, start, end)
        return end

    def ticks_to_edge(self, at: int) -> int:
        """Ticks from now to the unit's first edge from tick `at` on, or to the next edge if `at` is past."""
        now = self.now
        begin = max(at, now)
        return begin - now + self.clock.wait(begin)

    def record_stall(self, cause: Cause, since: int) -> None:
        """Record that the unit has waited since a tick, if that is in the past."""
        if (now := self.now) > since:
            self.trace.record_stall(self.name, cause, since, now)

    def _charge(self, job: Any) -> int:
        if self.contract is None:
            raise WiringError(f"unit {self.name}: has no contract that says how long a job takes")
        return self.contract.cycles(job)

"""Units for small tests, and a diagram for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwsim.engine.clock import Clock, TimeBase
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import In, Out, Steps
from hwsim.engine.unit import Unit


def diagram(**freqs_hz: int) -> Diagram:
    """A diagram that keeps what happens, with one clock `clk` whose cycle is a tick, or with the clocks given."""
    made = Diagram(TimeBase.of(freqs_hz or {"clk": 1_000_000}))
    made.trace.keep_on()
    return made


def timelines(of: Diagram) -> Mapping[str, list[tuple[int, int, str]]]:
    return {name: of.trace.of(name) for name in of.units}


class Part(Unit):
    """Works on each item for the next number of cycles in its list.

    Attributes
    ----------
    handed_over : tick in which each item was handed over
    """

    def __init__(self, diagram: Diagram, name: str, cycles: Sequence[int], clock: Clock | None = None) -> None:
        super().__init__(diagram, name, clock or diagram.clocks["clk"], source="a test")
        self.cycles = cycles
        self.handed_over: list[int] = []

    def labour(self, cycles: int, item: object) -> Steps[None]:
        yield from self.occupy(cycles, kind="work", name=f"item {item}")


class Source(Part):
    """Makes items 0, 1, ..."""

    out = Out[int]()

    def run(self) -> Steps[None]:
        for item, cycles in enumerate(self.cycles):
            yield from self.labour(cycles, item)
            yield from self.out.put(item)
            self.handed_over.append(self.now)


class Stage(Part):
    """Takes an item, works, hands it on."""

    x = In[int]()
    y = Out[int]()

    def run(self) -> Steps[None]:
        for cycles in self.cycles:
            item = yield from self.x.get()
            yield from self.labour(cycles, item)
            yield from self.y.put(item)
            self.handed_over.append(self.now)


class Sink(Part):
    """Takes items and works on them."""

    x = In[int]()

    def run(self) -> Steps[None]:
        for cycles in self.cycles:
            item = yield from self.x.get()
            yield from self.labour(cycles, item)
            self.handed_over.append(self.now)

"""LOAD as a unit: a row of Q and rows of K and V from buffers that DMA engines fill."""

from __future__ import annotations

from hwsim.engine.diagram import Diagram
from hwsim.engine.port import In, Out, Steps
from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.events.itinerary import Arrivals, Itinerary, Pass, Row
from hwsim.machines.swat.events.stages import RowLog, StageUnit
from hwsim.machines.swat.stages import Stage


class Buffer:
    """LOAD's side of a buffer: rows are taken in the order of their stream, each once its burst has arrived."""

    def __init__(self, arrived: In[int], freed: Out[int], stream: Arrivals) -> None:
        self.arrived = arrived
        self.freed = freed
        self.stream = stream
        self._taken = 0
        self._last = -1  # burst that has arrived

    def wait(self, rows: int) -> Steps[None]:
        """Wait until the next rows are there."""
        needed = max(self.stream.burst_of[self._taken : self._taken + rows])
        while self._last < needed:
            self._last = yield from self.arrived.get()

    def free(self, rows: int) -> Steps[None]:
        """These rows are taken."""
        self._taken += rows
        yield from self.freed.put(rows)


class LoadUnit(StageUnit):
    """LOAD: the rows of all passes, one after the other.

    Attributes
    ----------
    passed : the pass before is through all stages
    waited : ticks in which it waited for memory
    prologue : ticks of loads between passes
    pass_loads : tick in which it was done with each pass
    """

    passed = In[Pass]()
    q, q_freed = In[int](), Out[int]()
    k, k_freed = In[int](), Out[int]()
    v, v_freed = In[int](), Out[int]()
    carry, carry_freed = In[int](), Out[int]()

    def __init__(
        self,
        diagram: Diagram,
        stage: Stage,
        unit: UnitSpec,
        log: RowLog,
        itinerary: Itinerary,
        design: Design,
    ) -> None:
        super().__init__(diagram, stage, unit, log)
        scheduler = design.scheduler
        self.passes = itinerary.passes
        self.loaders = scheduler.loaders
        self.latency = scheduler.latency
        self.row_cycles = scheduler.interval * scheduler.head_dim
        self.carried_cycles = scheduler.interval * (scheduler.head_dim + design.spec.extra)
        self.queries = Buffer(self.q, self.q_freed, itinerary.queries)
        self.keys = Buffer(self.k, self.k_freed, itinerary.keys)
        self.values = Buffer(self.v, self.v_freed, itinerary.keys)
        self.partial = Buffer(self.carry, self.carry_freed, itinerary.carried)
        self.prologue = 0
        self.pass_loads: list[int] = []

    @property
    def waited(self) -> int:
        ports = {buffer.arrived.cause for buffer in (self.queries, self.keys, self.values, self.partial)}
        return sum(ticks for cause, ticks in self.stalls.items() if cause in ports)

    def run(self) -> Steps[None]:
        for number, each in enumerate(self.passes):
            if number:
                yield from self.passed.get()
            if each.before:
                yield from self.load_before(each.before)
            for row in each.rows:
                yield from self.load_row(row)
            self.pass_loads.append(self.now)

    def load_before(self, units: int) -> Steps[None]:
        """What the cores must hold before the first row."""
        begin = self.now
        yield from self.load(units, "prologue")
        yield from self.occupy(self.latency, kind=self.name, name="prologue")
        self.prologue += self.now - begin

    def load_row(self, row: Row) -> Steps[None]:
        """A row's query, and its partial row if it has one, beside rows of K and V."""
        for output in self.outputs.values():
            yield from output.claim()
        claimed, name = self.now, f"row {row.number}"
        yield from self.queries.wait(1)
        if row.carried:
            yield from self.partial.wait(1)
        least = self.now + self.clock.ticks(self.carried_cycles if row.carried else self.row_cycles)
        yield from self.load(row.units, name)
        yield from self.occupy(self.clock.edge(max(0, least - self.now)), kind=self.name, name=name)
        yield from self.queries.free(1)
        if row.carried:
            yield from self.partial.free(1)
        yield from self.occupy(self.latency, kind=self.name, name=name)
        self.log.note(row, self.stage, claimed, self.now)
        for output in self.outputs.values():
            output.fill(row)

    def load(self, units: int, name: str) -> Steps[None]:
        """Rows of K and V, as many side by side as there are loaders."""
        for begin in range(0, units, self.loaders):
            beside = min(self.loaders, units - begin)
            yield from self.keys.wait(beside)
            yield from self.values.wait(beside)
            yield from self.occupy(self.row_cycles, kind=self.name, name=name)
            yield from self.keys.free(beside)
            yield from self.values.free(beside)

"""The stages behind LOAD as units: each works on a row in its bank when a bank behind it is free."""

from __future__ import annotations

import numpy as np

from hwsim.engine.diagram import Diagram
from hwsim.engine.port import In, Out, Steps
from hwsim.engine.unit import Unit
from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.swat.events.itinerary import Burst, Pass, Row
from hwsim.machines.swat.stages import Stage
from hwsim.mapping.cores.plan import Ints


class RowLog:
    """Begin and end of each stage for the first rows.

    Attributes
    ----------
    times : (rows, stages, 2)
    """

    def __init__(self, rows: int, stages: tuple[Stage, ...]) -> None:
        self.times: Ints = np.zeros((rows, len(stages), 2), dtype=np.int64)
        self._columns = {stage.name: i for i, stage in enumerate(stages)}

    def note(self, row: Row, stage: Stage, begin: int, end: int) -> None:
        """Keep the times of a row, if it is one of the first."""
        if row.number < len(self.times):
            self.times[row.number, self._columns[stage.name]] = begin, end


class StageUnit(Unit):
    """A stage that takes the same time for each row.

    Attributes
    ----------
    inputs : a port for each stage that it takes from; outputs : one for each that takes from it
    """

    def __init__(self, diagram: Diagram, stage: Stage, unit: UnitSpec, log: RowLog) -> None:
        super().__init__(diagram, stage.name, diagram.clocks["fabric"], source=unit.source, contract=unit.contract)
        self.stage = stage
        self.log = log
        self.inputs = {name: self.add_port(f"from {name}", In[Row]()) for name in stage.after}
        self.outputs: dict[str, Out[Row]] = {}

    def output_to(self, stage: Stage) -> Out[Row]:
        """A new port to a stage that takes from this one."""
        self.outputs[stage.name] = self.add_port(f"to {stage.name}", Out[Row]())
        return self.outputs[stage.name]

    def run(self) -> Steps[None]:
        while True:
            row = yield from self.take()
            for output in self.outputs.values():
                yield from output.claim()
            begin = self.now
            yield from self.occupy(self.stage.cycles, kind=self.name, name=f"row {row.number}")
            self.log.note(row, self.stage, begin, self.now)
            for port in self.inputs.values():
                port.release()
            for output in self.outputs.values():
                output.fill(row)

    def take(self) -> Steps[Row]:
        """Wait for the next row at all inputs."""
        rows = []
        for port in self.inputs.values():
            rows.append((yield from port.take()))
        return rows[0]


class DivideUnit(StageUnit):
    """DIV&OUT: rows leave in bursts, for which there are two banks.

    Attributes
    ----------
    bursts : to the engine that writes them
    passed : to LOAD, when the last row of a pass has left and another pass follows
    pass_ends : tick in which the last row of each pass has left
    """

    bursts = Out[tuple[Burst, Pass | None]]()
    passed = Out[Pass]()

    def __init__(self, diagram: Diagram, stage: Stage, unit: UnitSpec, log: RowLog, passes: tuple[Pass, ...]) -> None:
        super().__init__(diagram, stage, unit, log)
        self.passes = passes
        self.pass_ends: list[int] = []

    def run(self) -> Steps[None]:
        for number, each in enumerate(self.passes, 1):
            for expected in each.rows:
                row = yield from self.take()
                yield from self.leave(row, each if each.follows and expected is each.rows[-1] else None)
            self.pass_ends.append(self.now)
            if number < len(self.passes):
                yield from self.passed.put(each)

    def leave(self, row: Row, ends: Pass | None) -> Steps[None]:
        """A row leaves; with the last one of its burst, the burst is full."""
        begin = self.now
        if row.opens:
            yield from self.bursts.claim()
        yield from self.work("divided" if row.divided else "partial", kind=self.name, name=f"row {row.number}")
        self.log.note(row, self.stage, begin, self.now)
        for port in self.inputs.values():
            port.release()
        if row.closes:
            self.bursts.fill((row.closes, ends))

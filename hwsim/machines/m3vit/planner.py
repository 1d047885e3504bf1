"""Turns the instructions of a run into calls of units, a step at a time: each with the calls that it waits for."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

from hwsim.engine.diagram import Diagram
from hwsim.fabric.calls import Call
from hwsim.fabric.slots import Ended
from hwsim.machines.m3vit.buffers import Buffers
from hwsim.machines.m3vit.instructions import Instruction, Load, Work
from hwsim.machines.m3vit.ledger import Ledger, StepRecord
from hwsim.machines.m3vit.programs import Program
from hwsim.mapping.step import Step


class Planner:
    """Calls of work and of loads, in order, made when somebody wants the next.

    Loads run ahead of work as far as there is room in the buffers, into the next step too.

    Attributes
    ----------
    ledger : what has ended so far
    keep_steps : steps at the begin of which the trace keeps every slice
    """

    keep_steps = 0

    def __init__(self, program: Program, diagram: Diagram, buffers: Buffers) -> None:
        self.program, self.diagram, self.buffers = program, diagram, buffers
        self.ledger = Ledger()
        self._steps: Iterator[tuple[int, Step]] = enumerate(program.steps())
        self._work: deque[tuple[Work, StepRecord, Call]] = deque()
        self._loads: deque[Call] = deque()
        self._calls: dict[str, tuple[Call, ...]] = {}  # that others may wait for, unless they are done
        self._noted: dict[str, tuple[Instruction, StepRecord]] = {}

    def work(self) -> Iterator[tuple[Work, StepRecord, Call]]:
        """All work of the run."""
        while self._work or self._plan_step():
            yield self._work.popleft()

    def loads(self) -> Iterator[Call]:
        """All loads of the run."""
        while self._loads or self._plan_step():
            if self._loads:  # a step may need none
                yield self._loads.popleft()

    def note(self, ended: Ended) -> None:
        """A task has ended."""
        instruction, record = self._noted.pop(ended.task.name)
        if isinstance(instruction, Work):
            self.ledger.note_work(instruction, record, ended)
            if record.number == self.keep_steps and instruction.opens_step:
                self.diagram.trace.keep_no_more()
        else:
            self.ledger.note_load(instruction, ended)

    def _plan_step(self) -> bool:
        """Make the calls of the next step; whether there is one."""
        following = next(self._steps, None)
        if following is None:
            return False
        number, step = following
        self._calls = {
            name: calls for name, calls in self._calls.items() if not all(call.done.processed for call in calls)
        }
        clock = self.diagram.clocks["fabric"]
        arrives = math.ceil(step.arrives * clock.freq_hz)
        record = StepRecord(number=number, step=step, arrives=arrives)
        self.ledger.steps.append(record)
        for instruction in self.program.instructions(step, number):
            self._plan(instruction, record)
        return True

    def _plan(self, instruction: Instruction, record: StepRecord) -> None:
        waits = self.buffers.enter(instruction)
        names = instruction.needs if isinstance(instruction, Work) else (*instruction.after, *waits)
        after = tuple(call for name in names for call in self._calls.get(name, ()))
        if instruction.task is None:
            self._calls[instruction.name] = after  # whoever waits for it waits for what it waits for
            return
        call = Call(instruction.task, after, self.diagram.env.event())
        self._calls[instruction.name] = (call,)
        self._noted[instruction.name] = instruction, record
        if isinstance(instruction, Load):
            self._loads.append(call)
        else:
            self._work.append((instruction, record, call))

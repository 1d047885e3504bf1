"""Edge-MoE's block diagram, and the run of a program on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from hwsim.engine.diagram import Diagram
from hwsim.engine.port import Out, Steps, connect
from hwsim.engine.unit import Unit
from hwsim.fabric.calls import Call
from hwsim.fabric.fabric import Fabric, FabricUnit
from hwsim.fabric.slots import Ended
from hwsim.machines.edge_moe.counts import WorkCounts
from hwsim.machines.edge_moe.instructions import Instruction, Multiply, Program
from hwsim.machines.edge_moe.kinds import NO_IMAGE, KindShares, kind_of
from hwsim.machines.edge_moe.memory import memory_system, time_base
from hwsim.machines.edge_moe.parts import fabric as fabric_units
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.machines.edge_moe.tasks import task_of
from hwsim.machines.edge_moe.wiring import joined, wires
from hwsim.machines.machine import Progress
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Pass:
    """A step of the program, in ticks.

    Attributes
    ----------
    arrives : from which on its images are there
    """

    step: Step
    arrives: int
    begun: int
    ended: int


@dataclass(kw_only=True, eq=False)
class Execution:
    """A finished run.

    Attributes
    ----------
    ticks : from begin to end
    once_ticks : of these, for what is done once before the first image
    passes : each step's, in order
    shares : the time by kind of work
    instructions : that were carried out
    counts : what they were
    queue_lengths : tokens of each expert, each time that experts were chosen
    """

    program: Program
    diagram: Diagram
    memory: Fabric
    ticks: int
    once_ticks: int
    passes: list[Pass]
    shares: KindShares
    instructions: int
    counts: WorkCounts
    queue_lengths: list[int]


def simulate(program: Program, *, progress: Progress | None = None, trace_tokens: int = 0) -> Execution:
    """Run a program to its end.

    Parameters
    ----------
    trace_tokens : steps from the start whose work is kept
    """
    diagram, memory, units = build(program)
    sequencer = Sequencer(diagram, program, units, progress=progress, traced=trace_tokens)
    ticks = diagram.run()
    return Execution(
        program=program,
        diagram=diagram,
        memory=memory,
        ticks=ticks,
        once_ticks=sequencer.once_ticks,
        passes=sequencer.passes,
        shares=sequencer.shares,
        instructions=sequencer.instructions,
        counts=sequencer.counts,
        queue_lengths=sequencer.queue_lengths,
    )


def build(program: Program) -> tuple[Diagram, Fabric, dict[str, FabricUnit]]:
    """The block diagram: units, their ports to memory, and what they pass on to each other."""
    spec, wired = program.spec, wires(program.design)
    diagram = Diagram(time_base(spec))
    memory = Fabric(diagram, "memory", system=memory_system(spec))
    units: dict[str, FabricUnit] = {}
    for part in fabric_units(program.design):
        unit = units[part.name] = FabricUnit.stated(part, diagram, diagram.clocks["fabric"])
        reads, writes = (_ports(spec, buffers) for buffers in (wired[part.name].reads, wired[part.name].writes))
        memory.attach(unit, reads=reads, writes=writes)
    for source, sink in joined(program.design):
        memory.join(units[source], units[sink], depth=spec.attention.stream_depth)
    return diagram, memory, units


def _ports(spec: EdgeMoeSpec, buffers: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spec.buffers[buffer] for buffer in buffers))


class Sequencer(Unit):
    """Calls the units in the program's order; a call begins when those that it depends on are done.

    Attributes
    ----------
    passes : the steps that have ended
    """

    def __init__(
        self,
        diagram: Diagram,
        program: Program,
        units: dict[str, FabricUnit],
        *,
        progress: Progress | None,
        traced: int,
    ) -> None:
        super().__init__(diagram, "sequencer", diagram.clocks["fabric"], source="calls take no time of their own")
        self._program = program
        self._progress = progress
        self._traced = traced
        self._calls = {name: self.add_port(name, Out[Call]()) for name in units}
        for name, unit in units.items():
            connect(self._calls[name], unit.commands, depth=MOST_CALLS)
        self.passes: list[Pass] = []
        self.once_ticks = 0
        self.instructions = 0
        self.shares = KindShares()
        self.counts = WorkCounts()
        self.queue_lengths: list[int] = []

    def run(self) -> Steps[None]:
        if self._traced:
            self.trace.keep_on()
        if self._program.once:
            yield from self._carry_out(self._program.once)
        self.once_ticks = self.now
        steps = list(self._program.steps())
        for number, step in enumerate(steps):
            if number == self._traced:
                self.trace.keep_no_more()
            arrives = self._edge_of(step)
            if arrives > self.now:
                self.shares.ticks[NO_IMAGE] += arrives - self.now
                yield self.env.timeout(arrives - self.now)
            begun = self.now
            yield from self._carry_out(self._program.instructions(step))
            self.passes.append(Pass(step=step, arrives=arrives, begun=begun, ended=self.now))
            if self._progress:
                self._progress(number + 1, len(steps))

    def _edge_of(self, step: Step) -> int:
        """The first edge on which an image is there, in ticks."""
        ticks = ceil(step.arrives * self.diagram.time_base.ticks_per_second)
        return ticks + self.clock.wait(ticks)

    def _carry_out(self, instructions: Sequence[Instruction]) -> Steps[None]:
        begun = self.now
        calls: list[Call] = []
        for instruction in instructions:
            task = task_of(instruction, self._program)
            call = Call(task, tuple(calls[other] for other in instruction.after), self.env.event())
            calls.append(call)
            yield from self._calls[instruction.unit].put(call)
        for call in calls:
            if not call.done.processed:
                yield call.done
        self.instructions += len(calls)
        self.counts.add(instructions, self._program.design)
        self.queue_lengths += queue_lengths(instructions)
        graph = self._program.mapped.graph
        done: list[tuple[str, Ended]] = [
            (kind_of(i, graph.operator(i.operator)), call.done.value)  # type: ignore[misc]
            for i, call in zip(instructions, calls)
        ]
        self.shares.add(begun, self.now, done, self.clock.period_ticks)


MOST_CALLS = 1 << 16  # of a step, which wait at one unit


def queue_lengths(instructions: Sequence[Instruction]) -> list[int]:
    """Tokens of each expert that has some, in the order in which experts are first loaded."""
    queues: Counter[tuple[str, int]] = Counter()
    for instruction in instructions:
        job = instruction.work
        if isinstance(job, Multiply) and job.expert is not None and job.command.use_gelu and not job.part.first_out:
            queues[instruction.operator, job.expert] += job.command.tokens
    return list(queues.values())

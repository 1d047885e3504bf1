"""The block diagram: a loader of weights, an engine with the units around it, the memory behind AXI ports; it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from hwsim.dram.random_access.served import Served
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import Out, Steps, connect
from hwsim.engine.unit import Unit
from hwsim.fabric.calls import Call
from hwsim.fabric.fabric import Fabric, FabricUnit
from hwsim.fabric.player import PortUse
from hwsim.machines.m3vit.buffers import Buffers
from hwsim.machines.m3vit.ledger import Ledger
from hwsim.machines.m3vit.parts import units, weight_memories
from hwsim.machines.m3vit.planner import Planner
from hwsim.machines.m3vit.programs import Program
from hwsim.machines.m3vit.spec import DATA_PORTS
from hwsim.machines.machine import Progress

# Units between which tokens pass.
JOINED = (
    ("norm", "engine"), ("engine", "adder"), ("adder", "norm"), ("norm", "gate"),
    ("engine", "gelu"), ("gelu", "engine"), ("engine", "softmax"), ("softmax", "engine"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Execution:
    """A run that has ended.

    Attributes
    ----------
    most_held : bytes that were taken up at most, by buffer
    steps_played : cycles that were played one by one
    """

    program: Program
    ticks: int
    diagram: Diagram = field(repr=False)
    ledger: Ledger
    most_held: dict[str, int]
    ports: tuple[PortUse, ...]
    served: Served
    steps_played: int


class WorkSequencer(Unit):
    """Hands work to the engine, that of a step when its images are there."""

    calls = Out[Call]()
    planner: Planner
    progress: Progress | None

    def run(self) -> Steps[None]:
        clock, images = self.clock, self.planner.program.workload.run.produced
        for work, record, call in self.planner.work():
            if work.opens_step and (wait := clock.ticks(record.arrives) - self.now) > 0:
                yield self.env.timeout(wait)
            yield from self.calls.put(call)
            if self.progress and work.opens_step:
                self.progress(min(len(self.planner.ledger.steps), images), images)


class LoadSequencer(Unit):
    """Hands loads to the loader; how far they run ahead is a matter of room in the buffers."""

    calls = Out[Call]()
    planner: Planner

    def run(self) -> Steps[None]:
        for call in self.planner.loads():
            yield from self.calls.put(call)


def simulate(program: Program, *, progress: Progress | None = None, trace_tokens: int = 0) -> Execution:
    """Run a program to its end.

    Parameters
    ----------
    progress : called at each step with (images begun, images in all)
    trace_tokens : passes over the layers whose work is recorded
    """
    spec = program.spec
    diagram = Diagram(spec.time_base)
    clock = diagram.clocks["fabric"]
    regions = {**weight_memories(spec, program.sizes), "gate": program.mapped.placement.gate_bytes}
    buffers = Buffers(spec.name, regions)
    planner = Planner(program, diagram, buffers)

    fabric = Fabric(diagram, "memory", system=spec.memory_system, ended=planner.note)
    specs = {unit.name: unit for unit in units(spec, program.sizes)}
    engine = FabricUnit.stated(specs["engine"], diagram, clock)
    loader = FabricUnit.stated(specs["loader"], diagram, clock)
    beside: dict[str, Unit] = {
        name: Unit.stated(specs[name], diagram, clock)
        for name in ("norm", "softmax", "gelu", "gate", "adder")
        if name in specs
    }
    work = WorkSequencer(diagram, "sequencer", clock, source="hands out work in order")
    work.planner, work.progress = planner, progress
    loads = LoadSequencer(diagram, "prefetcher", clock, source="hands out loads in order")
    loads.planner = planner

    connect(work.calls, engine.commands, depth=1)
    connect(loads.calls, loader.commands, depth=1)
    fabric.attach(engine, reads=DATA_PORTS, writes=DATA_PORTS)
    fabric.attach(loader, reads=spec.weight_ports)
    known: dict[str, Unit] = {"engine": engine, **beside}
    for source, sink in JOINED:
        if source in known and sink in known:
            fabric.join(known[source], known[sink], depth=spec.token_fifo)

    if trace_tokens:
        diagram.trace.keep_on()
        planner.keep_steps = trace_tokens
    diagram.run()
    return Execution(
        program=program,
        ticks=clock.ticks(planner.ledger.ended),
        diagram=diagram,
        ledger=planner.ledger,
        most_held=dict(buffers.most),
        ports=tuple(fabric.player.port_use()),
        served=fabric.player.served(),
        steps_played=fabric.player.steps,
    )

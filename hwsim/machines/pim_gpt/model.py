"""PIM-GPT as units: a sequencer, the ASIC, the package of PIM channels, and the host's link.

    host --- ASIC (sequencer, adders, multipliers, SRAM) === channel 0..n (buffer, banks with MAC units)

Schedule `paper`: the ASIC and the package are each idle or in process, and the next instruction is fetched when
both are idle; so they alternate, instruction by instruction. Schedule `overlap` is in overlap.py.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import numpy as np
import simpy
from numpy.typing import NDArray

from hwsim.dram.fast import Package
from hwsim.dram.kernel import CAUSES
from hwsim.dram.overlap import OverlappedPackage
from hwsim.engine import Clock, Trace, Unit
from hwsim.machines.pim_gpt.instructions import AsicWork, HostWork, Instruction, PimWork, Program
from hwsim.machines.pim_gpt.recorder import Recorder

Progress = Callable[[int, int], None]  # (tokens done, tokens in all)
FinishStep = Callable[[list[Instruction], int], int]  # a step's instructions, its first tick -> its last


class PimUnit(Unit):
    """All PIM channels; an instruction takes until the last channel is done.

    Attributes
    ----------
    causes : kind of work -> DRAM cycles by cause (`kernel.CAUSES`), along the slowest channel
    bounds : kind of work -> DRAM cycles that the placement cannot undercut
    accesses : kind of work -> column accesses, each bank of an all-bank command counted
    """

    def __init__(self, env: simpy.Environment, clock: Clock, trace: Trace, package: Package) -> None:
        super().__init__(env, "pim", clock, trace, source=f"DRAM engine, standard {package.standard.name}")
        self.package = package
        self.causes: dict[str, NDArray[np.int64]] = defaultdict(lambda: np.zeros(len(CAUSES), dtype=np.int64))
        self.bounds: dict[str, int] = defaultdict(int)
        self.accesses: dict[str, int] = defaultdict(int)
        self._counted = 0  # of the package's column accesses, those that a kind already has

    def count(self, kind: str, bound: int) -> None:
        """Enter an instruction that has just been played under its kind."""
        self.bounds[kind] += bound
        accesses = self.package.column_accesses
        self.accesses[kind] += accesses - self._counted
        self._counted = accesses

    def execute(self, instruction: Instruction, work: PimWork, now: int) -> int:
        """Play an instruction that is fetched in tick `now`; return the tick in which it is done."""
        start = self.clock.edge(now)
        finish = self.package.play(
            work.program, start, row_base=instruction.row_base, causes=self.causes[instruction.kind]
        )
        self.count(instruction.kind, work.bound)
        return self.book(now, finish - start, instruction.kind, instruction.name)


class AsicUnit(Unit):
    """Adders and multipliers, charged by the contract of the vector unit."""

    def __init__(self, env: simpy.Environment, clock: Clock, trace: Trace, source: str) -> None:
        super().__init__(env, "asic", clock, trace, source=source)
        self.adds = 0
        self.multiplies = 0

    def count(self, work: AsicWork) -> None:
        """Enter the operations of an instruction."""
        self.adds += work.adds
        self.multiplies += work.multiplies

    def execute(self, instruction: Instruction, work: AsicWork, now: int) -> int:
        """Work that begins in tick `now`; return the tick in which it is done."""
        self.count(work)
        return self.book(now, work.cycles, instruction.kind, instruction.name)


class HostUnit(Unit):
    """The host beyond its link, or the link to other devices; counts what crosses it."""

    def __init__(
        self,
        env: simpy.Environment,
        clock: Clock,
        trace: Trace,
        name: str = "host",
        source: str = "link and memory bandwidth (assumed)",
    ) -> None:
        super().__init__(env, name, clock, trace, source=source)
        self.link_bytes = 0

    def count(self, work: HostWork) -> None:
        """Enter what an instruction moves."""
        self.link_bytes += work.link_bytes

    def execute(self, instruction: Instruction, work: HostWork, now: int) -> int:
        """A transfer that begins in tick `now`; return the tick in which it is done."""
        self.count(work)
        return self.book(now, work.cycles, instruction.kind, instruction.name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What a simulation leaves behind.

    Attributes
    ----------
    ends : tick in which each step ended
    prompt_steps : how many of them took in the prompt
    recorder : what a trace shows, where one was asked for
    """

    program: Program
    trace: Trace
    ticks: int
    ends: array[int]
    prompt_steps: int
    pim: PimUnit
    asic: AsicUnit
    host: HostUnit
    link: HostUnit
    recorder: Recorder | None = None

    def beyond(self, instruction: Instruction) -> HostUnit:
        """The unit of an instruction for something beyond the chip and its memory."""
        return self.link if instruction.unit == "link" else self.host


def overlapped(run: Run) -> FinishStep:
    """Schedule `overlap` for a run."""
    from hwsim.machines.pim_gpt.overlap import Overlap

    return Overlap(run).finish_step


def simulate(program: Program, *, progress: Progress | None = None, trace_tokens: int = 0) -> Run:
    """Run a program to its end.

    Parameters
    ----------
    progress : called after each step with (tokens done, tokens in all)
    trace_tokens : tokens of each sequence whose instructions and DRAM commands are recorded
    """
    spec = program.spec
    clocks = spec.time_base.clocks
    env = simpy.Environment()
    trace = Trace()
    overlaps = spec.schedule == "overlap"
    package = (
        OverlappedPackage(spec.standard, spec.channels, spec.accumulators)
        if overlaps
        else Package(spec.standard, spec.channels)
    )
    run = Run(
        program=program,
        trace=trace,
        ticks=0,
        ends=array("q"),
        prompt_steps=0,
        pim=PimUnit(env, clocks["dram"], trace, package),
        asic=AsicUnit(env, clocks["asic"], trace, spec.vector_unit.source),
        host=HostUnit(env, clocks["asic"], trace),
        link=HostUnit(env, clocks["asic"], trace, "link", "link bandwidth and latency (assumed)"),
        recorder=Recorder(tokens=trace_tokens, trace=trace, package=package) if trace_tokens else None,
    )
    finish_step = overlapped(run) if overlaps else _taking_turns(run)
    env.run(until=env.process(_sequence(env, run, finish_step, progress)))
    prompt_steps = sum(step.context <= program.workload.prompt_end for step in program.steps())
    return replace(run, ticks=int(env.now), prompt_steps=prompt_steps)


def _sequence(
    env: simpy.Environment, run: Run, finish_step: FinishStep, progress: Progress | None
) -> Generator[simpy.Event, None, None]:
    """The sequencer, step by step.

    Within a step each instruction's times follow from those before it, whatever the schedule: one event a step is
    exact.
    """
    workload = run.program.workload
    total = workload.taken_in
    for step in run.program.steps():
        if run.recorder:
            run.recorder.begin(step)
        now = int(env.now)
        end = finish_step(run.program.instructions(step), now)
        yield env.timeout(end - now)
        run.ends.append(end)
        if progress:
            progress(step.context - workload.past, total)


def _taking_turns(run: Run) -> FinishStep:
    """Schedule `paper`: fetch an instruction when all units are idle."""

    def finish_step(instructions: list[Instruction], now: int) -> int:
        for instruction in instructions:
            work = instruction.work
            if isinstance(work, PimWork):
                now = run.pim.execute(instruction, work, now)
            elif isinstance(work, AsicWork):
                now = run.asic.execute(instruction, work, now)
            else:
                now = run.beyond(instruction).execute(instruction, work, now)
        return now

    return finish_step

"""PIM-GPT as a block diagram, and the paper's schedule of it.

    host --- ASIC (sequencer, adders, multipliers, SRAM) === channel 0..n (buffer, banks with MAC units)

Schedule `paper`: the ASIC and the package are each idle or in process, and the next instruction is fetched when
both are idle; so they alternate, instruction by instruction. Schedule `overlap` is in overlap.py.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import replace

from hwsim.dram.in_order.overlap.package import OverlappedPackage
from hwsim.dram.in_order.package import Package
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import Steps
from hwsim.machines.pim_gpt import parts
from hwsim.machines.pim_gpt.instructions import AsicWork, Instruction, PimWork, Program
from hwsim.machines.pim_gpt.overlap import Overlap
from hwsim.machines.pim_gpt.recorder import Recorder
from hwsim.machines.pim_gpt.units import AsicUnit, Execution, HostUnit, PimUnit

Progress = Callable[[int, int], None]  # (tokens done, tokens in all)
FinishStep = Callable[[list[Instruction], int], int]  # a step's instructions, its first tick -> its last


def simulate(program: Program, *, progress: Progress | None = None, trace_tokens: int = 0) -> Execution:
    """Run a program to its end.

    Parameters
    ----------
    progress : called after each step with (tokens done, tokens in all)
    trace_tokens : tokens of each sequence whose instructions and DRAM commands are recorded
    """
    spec = program.spec
    diagram = Diagram(spec.time_base)
    clocks, trace = diagram.clocks, diagram.trace
    overlaps = spec.schedule == "overlap"
    package = (
        OverlappedPackage(spec.standard, spec.channels, spec.accumulators)
        if overlaps
        else Package(spec.standard, spec.channels)
    )
    run = Execution(
        program=program,
        trace=trace,
        ticks=0,
        ends=array("q"),
        prompt_steps=0,
        pim=PimUnit(parts.memory(spec), diagram, clocks["dram"], package),
        asic=AsicUnit.stated(parts.asic(spec), diagram, clocks["asic"]),
        host=HostUnit.stated(parts.host(spec), diagram, clocks["asic"]),
        link=HostUnit.stated(parts.link(spec), diagram, clocks["asic"]),
        recorder=Recorder(tokens=trace_tokens, trace=trace, package=package) if trace_tokens else None,
    )
    finish_step = Overlap(run).finish_step if overlaps else _taking_turns(run)
    ticks = diagram.run(_sequence(diagram, run, finish_step, progress))
    prompt_steps = sum(step.context <= program.workload.run.prompt_end for step in program.steps())
    return replace(run, ticks=ticks, prompt_steps=prompt_steps)


def _sequence(diagram: Diagram, run: Execution, finish_step: FinishStep, progress: Progress | None) -> Steps[None]:
    """The sequencer, step by step.

    Within a step each instruction's times follow from those before it, whatever the schedule: one event a step is
    exact.
    """
    workload = run.program.workload
    total = workload.run.taken_in
    for step in run.program.steps():
        if run.recorder:
            run.recorder.begin(step)
        now = diagram.now
        end = finish_step(run.program.instructions(step), now)
        yield diagram.env.timeout(end - now)
        run.ends.append(end)
        if progress:
            progress(step.context - workload.run.past, total)


def _taking_turns(run: Execution) -> FinishStep:
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

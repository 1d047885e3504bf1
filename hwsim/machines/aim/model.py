"""GDDR6-AiM as units: the channels with the simulator's host front end, and the host's unit for other work.

    host unit === front end --- channel 0..31 (global buffer, 16 banks with MAC units and activation functions)

Channels and host alternate: the host's work begins when the SYNC after the preceding instructions is answered, and the
next instructions begin when that work is done. The memory's clock counts only while instructions are played, since a
trace cannot express pauses. So the channels of a run take exactly the cycles of its trace.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hwsim.dram.aim.isa import Instruction, Ints, encode
from hwsim.dram.aim.repeat import RepeatingPlayer
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import Steps
from hwsim.engine.trace import Trace
from hwsim.engine.unit import Unit
from hwsim.machines.aim import parts
from hwsim.machines.aim.programs import AimWork, HostWork, Program, Segment, placed, segments
from hwsim.machines.aim.spec import AimSpec

Progress = Callable[[int, int], None]  # (tokens done, tokens in all)
SYNC = encode([Instruction(operation="SYNC")])


@dataclass(kw_only=True, eq=False)
class Channels:
    """All channels and their front end.

    Attributes
    ----------
    accesses, bounds : kind of work -> columns that banks swept for it, and a lower bound on its DRAM cycles
    instructions : instructions of the trace
    """

    player: RepeatingPlayer
    accesses: dict[str, int]
    bounds: dict[str, int]
    instructions: int = 0

    @classmethod
    def of(cls, player: RepeatingPlayer) -> Channels:
        return cls(player=player, accesses=defaultdict(int), bounds=defaultdict(int))

    def play(self, segment: Segment) -> tuple[int, ...]:
        """Play a segment and its SYNC; return the DRAM cycles of each piece (the last includes the SYNC)."""
        base = min(work.base_row for work in segment)
        parts = _Parts(segment, base)
        for work in segment:
            self.accesses[work.kind] += work.program.accesses
            self.bounds[work.kind] += work.program.bound
            self.instructions += len(work.program.encoded)
        self.instructions += 1
        key = tuple((work.program.number, work.base_row - base) for work in segment)
        end = max(work.base_row + work.program.rows for work in segment)
        cycles = self.player.play(parts, key=key, base_row=base, rows=end - base)
        return (*cycles[:-2], cycles[-2] + cycles[-1])


class Link(Unit):
    """The link to other devices; counts what it sends."""

    sent_bytes = 0


class _Parts:
    """A segment's instructions, concatenated only if they must be played."""

    def __init__(self, segment: Segment, base: int) -> None:
        self.segment, self.base = segment, base

    def __iter__(self) -> Iterator[Ints]:
        for work in self.segment:
            yield placed(work, self.base)
        yield SYNC


@dataclass(frozen=True, kw_only=True, eq=False)
class Execution:
    """The result of a simulation.

    Attributes
    ----------
    ends : tick in which each step ended
    prompt_steps : how many of the steps processed the prompt
    dram_cycles : cycles of the channels, those of the emitted trace
    undisturbed : with refresh, the same channels without it, which play the same instructions
    """

    program: Program
    trace: Trace
    ticks: int
    ends: array[int]
    prompt_steps: int
    aim: Unit
    host: Unit
    channels: Channels
    undisturbed: Channels | None
    link: Link

    @property
    def dram_cycles(self) -> int:
        return self.channels.player.cycle

    @property
    def refresh_cycles(self) -> int:
        """Cycles of the channels that refresh costs."""
        return self.dram_cycles - self.undisturbed.player.cycle if self.undisturbed else 0


def simulate(program: Program, *, progress: Progress | None = None) -> Execution:
    """Run a program to its end.

    Parameters
    ----------
    progress : called after each step with (tokens done, tokens in all)
    """
    spec = program.spec
    diagram = Diagram(spec.time_base)
    clocks = diagram.clocks
    run = Execution(
        program=program,
        trace=diagram.trace,
        ticks=0,
        ends=array("q"),
        prompt_steps=0,
        aim=Unit.stated(parts.memory(spec), diagram, clocks["dram"]),
        host=Unit.stated(parts.host(spec), diagram, clocks["host"]),
        channels=_channels(spec, refresh=True),
        undisturbed=_channels(spec, refresh=False) if spec.standard.refresh else None,
        link=Link.stated(parts.link(spec), diagram, clocks["host"]),
    )
    ticks = diagram.run(_take_turns(diagram, run, progress))
    prompt_steps = sum(step.context <= program.workload.run.prompt_end for step in program.steps())
    return replace(run, ticks=ticks, prompt_steps=prompt_steps)


def _channels(spec: AimSpec, *, refresh: bool) -> Channels:
    return Channels.of(RepeatingPlayer(spec.standard if refresh else spec.standard_without_refresh, spec.channels))


def _take_turns(diagram: Diagram, run: Execution, progress: Progress | None) -> Steps[None]:
    """Alternate channels and host; nothing else can happen within a step, so one event per step is exact."""
    workload = run.program.workload
    for step in run.program.steps():
        now = began = diagram.now
        for part in segments(run.program.pieces(step)):
            if isinstance(part, HostWork):
                unit = run.host
                if part.unit == "link":
                    unit = run.link
                    run.link.sent_bytes += part.size
                now = unit.book(now, part.cycles, part.kind, part.name)
            else:
                now = _play(run, part, now)
        yield diagram.env.timeout(now - began)
        run.ends.append(now)
        if progress:
            progress(step.context - workload.run.past, workload.run.taken_in)


def _play(run: Execution, segment: tuple[AimWork, ...], now: int) -> int:
    if run.undisturbed:
        run.undisturbed.play(segment)
    for work, cycles in zip(segment, run.channels.play(segment), strict=True):
        now = run.aim.book(now, cycles, work.kind, work.name)
    return now

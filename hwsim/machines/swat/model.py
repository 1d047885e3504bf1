"""The block diagram: a sequencer, pipelines of rows with their channels of memory, the companion; it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import simpy

from hwsim.engine.diagram import Diagram
from hwsim.engine.port import In, Out, Steps, connect
from hwsim.engine.unit import Unit
from hwsim.machines.machine import Progress
from hwsim.machines.swat.companion.player import CompanionPlayer
from hwsim.machines.swat.companion.player import Played as CompanionPlayed
from hwsim.machines.swat.companion.work import CompanionWork
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.events.player import Channels, EventPlayer
from hwsim.machines.swat.ledger import AttentionDone, Ledger
from hwsim.machines.swat.lower import AttentionWork, Program, Work
from hwsim.machines.swat.rows.player import Played, RowPlayer
from hwsim.mapping.cores.plan import Ints
from hwsim.mapping.step import Step

EVENT_ROWS = 1_000  # rows of a run that are played event by event in elastic mode


@dataclass(frozen=True, kw_only=True)
class Execution:
    """A run that has ended."""

    program: Program
    ticks: int
    diagram: Diagram = field(repr=False)
    ledger: Ledger
    companion: CompanionPlayer | None


@dataclass(kw_only=True)
class RowCall:
    """Heads of an operator for one pipeline.

    Attributes
    ----------
    keep : first rows whose times are kept
    done : fires when the last row has left; `played` is then there
    """

    work: AttentionWork
    pipeline: int
    keep: int
    done: simpy.Event
    played: tuple[Played, ...] = ()

    @property
    def written(self) -> int:
        """Tick in which the memory holds the last row."""
        return max((each.written for each in self.played), default=0)


class Pipeline(Unit):
    """Cores, reductions and divider, with a channel each for Q, K, V, Z and partial rows; takes heads one by one.

    Attributes
    ----------
    by_events : whether its rows are played event by event, as a diagram of their own
    """

    calls = In[RowCall]()
    by_events = False
    compiled_channels: Ints | None = None
    event_channels: Channels | None = None

    def run(self) -> Steps[None]:
        while True:
            call = yield from self.calls.get()
            played = tuple(self._play(call))
            if played:
                yield self.env.timeout(played[-1].ended - self.now)
                for each in played:
                    self.trace.record_part(self.name, "attention", call.work.operator.name, each.begun, each.ended)
            call.played = played
            call.done.succeed()

    def _play(self, call: RowCall) -> Iterator[Played]:
        start = self.now + self.ticks_to_edge(self.now)
        for group in call.work.groups:
            heads = group.heads(call.work.design, call.pipeline)
            if heads is not None:
                played = self._player(call.work.design).play(heads, start, keep=call.keep)
                start = played.ended
                yield played

    def _player(self, design: Design) -> RowPlayer | EventPlayer:
        """Players for heads of all sizes have the same channels."""
        if self.by_events:
            events = EventPlayer(design, self.event_channels)
            self.event_channels = events.channels
            return events
        compiled = RowPlayer(design, self.compiled_channels)
        self.compiled_channels = compiled.channels
        return compiled


@dataclass(kw_only=True)
class CompanionCall:
    """An operator for the companion.

    Attributes
    ----------
    following : the next operator whose weights may come in the meantime
    """

    work: CompanionWork
    following: CompanionWork | None
    done: simpy.Event
    played: CompanionPlayed | None = None


class CompanionUnit(Unit):
    """The matrix unit and the lanes for vectors, with channels of their own."""

    calls = In[CompanionCall]()
    player: CompanionPlayer

    def run(self) -> Steps[None]:
        while True:
            call = yield from self.calls.get()
            begun = self.now + self.ticks_to_edge(self.now)
            call.played = self.player.run(call.work, begun, call.following)
            yield self.env.timeout(call.played.ended - self.now)
            self.trace.record_part(self.name, call.work.kind, call.work.name, begun, call.played.ended)
            call.done.succeed()


class Sequencer(Unit):
    """Hands the operators of a run out, one after the other."""

    program: Program
    ledger: Ledger
    pipelines: list[Pipeline]
    keep: int = 0
    progress: Progress | None = None
    written = 0  # when the memory holds what attention left
    ended_at = 0

    def run(self) -> Steps[None]:
        steps = list(self.program.steps())
        for number, step in enumerate(steps):
            works = self.program.works(step)
            for index, work in enumerate(works):
                if isinstance(work, AttentionWork):
                    yield from self._attention(work, step, self.keep if number == 0 else 0)
                else:
                    yield from self._beside(work, _with_weights(works[index + 1 :]))
            if number == 0 and self.keep:
                self.trace.keep_no_more()
            if self.progress:
                self.progress(number + 1, len(steps))
        self.ended_at = self.now

    def _beside(self, work: CompanionWork, following: CompanionWork | None) -> Steps[None]:
        """The companion reads what attention left when the memory holds it."""
        begun = self.now
        if self.written > begun:
            yield self.env.timeout(self.written - begun)
        call = CompanionCall(work=work, following=following, done=self.env.event())
        port: Out[CompanionCall] = self.ports["companion"]  # type: ignore[assignment]
        yield from port.put(call)
        yield call.done
        assert call.played is not None  # the call is done
        self.ledger.note_beside(work, begun, call.played)

    def _attention(self, work: AttentionWork, step: Step, keep: int) -> Steps[None]:
        begun = self.now
        calls = [
            RowCall(work=work, pipeline=number, keep=keep, done=self.env.event())
            for number in range(len(self.pipelines))
        ]
        for call in calls:
            port: Out[RowCall] = self.ports[f"pipeline{call.pipeline}"]  # type: ignore[assignment]
            yield from port.put(call)
        for call in calls:
            if not call.done.processed:
                yield call.done
        self.written = max(call.written for call in calls)
        played = tuple(call.played for call in calls)
        self.ledger.note(AttentionDone(work=work, step=step, begun=begun, ended=self.now, played=played))


def simulate(program: Program, *, progress: Progress | None = None, trace_tokens: int = 0) -> Execution:
    """Run a program to its end.

    Parameters
    ----------
    progress : called with (steps done, steps in all)
    trace_tokens : first rows of each operator of attention whose times are kept, in the first step
    """
    spec = program.spec
    diagram = Diagram(spec.time_base)
    clock = diagram.clocks["fabric"]
    sequencer = Sequencer(diagram, "sequencer", clock, source="hands out operators in order")
    sequencer.program, sequencer.ledger = program, Ledger()
    sequencer.keep, sequencer.progress = trace_tokens, progress
    sequencer.pipelines = [_pipeline(diagram, program, number) for number in range(spec.pipelines)]
    for number, pipeline in enumerate(sequencer.pipelines):
        connect(sequencer.add_port(f"pipeline{number}", Out[RowCall]()), pipeline.calls, depth=1)
    if program.companion:
        companion = CompanionUnit(diagram, "companion", clock, source="the contracts of its units")
        companion.player = CompanionPlayer(
            program.companion, spec.channel, spec.time_base, request_ns=spec.hbm.request_ns,
            response_ns=spec.hbm.response_ns,
        )  # fmt: skip
        connect(sequencer.add_port("companion", Out[CompanionCall]()), companion.calls, depth=1)
    if trace_tokens:
        diagram.trace.keep_on()
    diagram.run()
    return Execution(
        program=program,
        ticks=sequencer.ended_at,
        diagram=diagram,
        ledger=sequencer.ledger,
        companion=companion.player if program.companion else None,
    )


def _with_weights(works: tuple[Work, ...]) -> CompanionWork | None:
    """The first operator that has some."""
    return next((work for work in works if isinstance(work, CompanionWork) and work.weight_bytes), None)


def _pipeline(diagram: Diagram, program: Program, number: int) -> Pipeline:
    """Small elastic runs are played event by event; the compiled player gives the same."""
    made = Pipeline(diagram, f"pipeline{number}", diagram.clocks["fabric"], source="the contracts of its stages")
    made.by_events = program.spec.mode == "elastic" and program.rows <= EVENT_ROWS
    return made

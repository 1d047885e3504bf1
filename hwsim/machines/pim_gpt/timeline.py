"""The first tokens of a run as tracks: its steps, its units, and the channels below the package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from hwsim.dram.in_order.activity import Changes, ChannelActivity, channel_activity
from hwsim.engine.clock import Clock
from hwsim.engine.timeline import Counter, Span, Timeline, Track
from hwsim.engine.trace import Slice
from hwsim.engine.unit import Unit
from hwsim.machines.pim_gpt.recorder import Recorder
from hwsim.machines.pim_gpt.units import Execution
from hwsim.mapping.operators import Operator


def timeline(run: Execution) -> Timeline:
    """The tracks of the steps that a run recorded."""
    recorder, base = run.recorder, run.program.spec.time_base
    assert recorder is not None, "simulate was not asked to record"
    operators = _operators(run, recorder)
    ticks = Clock(name="tick", freq_hz=Fraction(base.ticks_per_second), period_ticks=1)

    def work(unit: Unit) -> tuple[Span, ...]:
        return tuple(_span(s, operators) for s in run.trace.slices if s.unit == unit.name)

    pim = work(run.pim)
    linked = (run.link,) if run.program.spec.devices > 1 else ()
    units = (
        Track(name="pim", clock=run.pim.clock, spans=pim, children=_channels(run, recorder, pim)),
        *(Track(name=unit.name, clock=unit.clock, spans=work(unit)) for unit in (run.asic, run.host, *linked)),
    )
    return Timeline(
        name=f"{run.program.workload.name} on {run.program.spec.name}",
        ticks_per_second=base.ticks_per_second,
        tracks=(Track(name="steps", clock=ticks, spans=tuple(_steps(run, recorder))), *units),
    )


def _steps(run: Execution, recorder: Recorder) -> Iterator[Span]:
    begin = 0
    for step, end in zip(recorder.steps, run.ends, strict=False):
        arguments = {"queries": step.queries, "context": step.context, "batch": step.batch}
        yield Span(begin, end, f"step at context {step.context}", arguments)
        begin = end


def _operators(run: Execution, recorder: Recorder) -> Mapping[str, Operator]:
    """The operator to which each recorded instruction belongs, by the instruction's name."""
    known = {mapped.operator.name: mapped.operator for mapped in run.program.mapped.operators}
    names = {i.name: i.part_of or i.name for step in recorder.steps for i in run.program.instructions(step)}
    return {name: known[operator] for name, operator in names.items() if operator in known}


def _span(piece: Slice, operators: Mapping[str, Operator]) -> Span:
    return Span(piece.start, piece.end, piece.name, _arguments(piece, operators))


def _arguments(piece: Slice, operators: Mapping[str, Operator]) -> Mapping[str, int | str]:
    """The operator to which an instruction belongs, its kind and its layer; the end of a step belongs to none."""
    known: dict[str, int | str] = {"kind": piece.kind}
    operator = operators.get(piece.name)
    if operator is not None:
        known["operator"] = operator.name
        if operator.layer is not None:
            known["layer"] = operator.layer
    return known


def _channels(run: Execution, recorder: Recorder, instructions: tuple[Span, ...]) -> tuple[Track, ...]:
    """One track per channel: its own part of each of the package's instructions, and its activity over time."""
    package, clock = run.pim.package, run.pim.clock
    activities = channel_activity(package.standard, package.channels, recorder.plays)
    return tuple(
        Track(
            name=f"channel {number}",
            clock=clock,
            spans=_parts(activity, instructions, clock),
            counters=(
                _counter("open rows", "banks", activity.open_rows, clock),
                _counter("bytes in flight", "bytes", activity.bytes_in_flight, clock),
            ),
        )
        for number, activity in enumerate(activities)
    )


def _parts(activity: ChannelActivity, instructions: tuple[Span, ...], clock: Clock) -> tuple[Span, ...]:
    """All channels begin together; each ends with its own program, possibly before the whole instruction does."""
    return tuple(
        span._replace(end=max(span.start, clock.ticks(end)))
        for span, end in zip(instructions, activity.ends.tolist(), strict=True)
        if end >= 0
    )


def _counter(name: str, unit: str, changes: Changes, clock: Clock) -> Counter:
    cycles, values = changes
    return Counter(name=name, unit=unit, ticks=cycles * clock.period_ticks, values=values)

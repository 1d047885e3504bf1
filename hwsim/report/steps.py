"""What every machine that decodes tells of its steps: their times, and the products that they consist of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.operators import Operator
from hwsim.mapping.step import Step
from hwsim.parameters.provenance import ParameterOrigin
from hwsim.report.details import Details, MemoryMap, Roofline, StepTime, thin
from hwsim.report.schema import Latency

MOST_STEPS = 2000  # points of the latency curve that a page holds


def durations_of(ends: Sequence[int]) -> list[int]:
    """Ticks of each step, from the end of the one before to its own."""
    return [end - before for before, end in zip([0, *ends], ends)]


def token_latencies(steps: Iterable[Step], ends: Sequence[int], begin: int, ticks_per_second: int) -> list[Latency]:
    """First, middle and last step of the phase that a run is about, which begins with step `begin`."""
    wanted = {begin, (begin + len(ends) - 1) // 2, len(ends) - 1}
    durations = durations_of(ends)
    return [
        Latency(context=step.context, seconds=durations[i] / ticks_per_second)
        for i, step in enumerate(steps)
        if i in wanted
    ]


def step_times(
    workload: DecoderWorkload, steps: Iterable[Step], ends: Sequence[int], ticks_per_second: int
) -> Iterator[StepTime]:
    """The time of each step, of a long run of so many that a page can hold them."""
    durations = durations_of(ends)
    kept = set(thin(durations, MOST_STEPS))
    for i, step in enumerate(steps):
        if i in kept:
            yield StepTime(
                context=step.context,
                tokens=step.tokens,
                seconds=durations[i] / ticks_per_second,
                prompt=step.context <= workload.run.prompt_end,
            )


def macs_by_kind(steps: Iterable[Step], operators: Iterable[Operator]) -> dict[str, int]:
    """Multiply-accumulates of operators over a run by kind of work, padding not counted."""
    # layers repeat the same operators: count each sort once a step
    sorts = Counter(replace(op, name="", inputs=(), layer=None, role=None) for op in operators)
    totals: Counter[str] = Counter()
    for step in steps:
        for op, copies in sorts.items():
            totals[op.kind] += copies * op.macs(step)
    return {kind: count for kind, count in totals.items() if count}


def decoding_details(
    workload: DecoderWorkload,
    steps: Iterable[Step],
    ends: Sequence[int],
    ticks_per_second: int,
    *,
    roofline: Roofline,
    memory: MemoryMap,
    parameters: tuple[ParameterOrigin, ...],
) -> Details:
    """The details of a run that decodes.

    Parameters
    ----------
    ends : tick in which each step ended
    """
    return Details(
        steps=tuple(step_times(workload, steps, ends, ticks_per_second)),
        steps_in_all=len(ends),
        roofline=roofline,
        memory=memory,
        parameters=parameters,
        workload=workload.fields(),
    )

"""One report of several devices, from the reports of those that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, fsum

from hwsim.devices.schedule import pipeline_ends
from hwsim.devices.sums import (
    dram_of_all,
    energy_of_all,
    memories_of_all,
    offchip_of_all,
    resources_of_all,
    units_of_all,
)
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.parallel import PipelineStage
from hwsim.mapping.step import Step
from hwsim.report.decoding import decoding_throughput, decoding_use
from hwsim.report.schema import (
    Bound,
    BoundPart,
    DecodingUse,
    DevicesUse,
    KindShare,
    Report,
    StageUse,
)


@dataclass(frozen=True, kw_only=True)
class StageExecution:
    """The run of one device of a stage; the other devices of the stage do the same.

    Attributes
    ----------
    ends : tick in which each step ended on this device, as if it never waited for other stages
    """

    stage: PipelineStage
    report: Report
    ends: Sequence[int]
    ticks_per_second: int

    @property
    def durations(self) -> list[int]:
        return [end - before for before, end in zip([0, *self.ends], self.ends)]


def combine(workload: DecoderWorkload, steps: Sequence[Step], stages: Sequence[StageExecution]) -> Report:
    """The report of all devices.

    Times follow each step through the stages; counts and bytes are those of all devices. Each device is timed as if its
    clock stopped while it waits for others.

    Parameters
    ----------
    steps : the passes over the layers, in order
    stages : in order
    """
    first = stages[0].report
    prompt_steps = sum(step.context <= workload.run.prompt_end for step in steps)
    ends = pipeline_ends([stage.durations for stage in stages], prompt_steps)
    rate = stages[0].ticks_per_second
    seconds = ends[-1] / rate
    reports, alike = [stage.report for stage in stages], stages[0].stage.split.tensor
    energy = energy_of_all(reports, alike, seconds, workload)
    cycles = ceil(Fraction(ends[-1], rate) * Fraction(first.clock_hz))
    offchip = offchip_of_all(reports, alike)
    prompt_end = ends[prompt_steps - 1] if workload.run.phase == "decode" and prompt_steps else 0
    # taken of seconds rather than of ticks, as kept figures are: the two differ in the last digit
    tokens_per_s = workload.run.produced / (seconds - prompt_end / rate)
    decoding = _decoding(reports, workload, steps, ends, rate).model_copy(update={"tokens_per_s": tokens_per_s})
    return first.model_copy(
        update={
            "cycles": cycles,
            "latency_s": seconds,
            "throughput": decoding_throughput(workload.run, decoding),
            "decoding": decoding,
            "energy_j": energy.joules if energy else None,
            "energy": energy,
            "breakdown": _breakdown(reports, cycles),
            "units": units_of_all(reports, alike, cycles),
            "bottleneck": f"a device of stage 1: {first.bottleneck}",
            "bound": _bound(reports, seconds),
            "memories": memories_of_all(reports, alike),
            "dram": dram_of_all(reports, alike),
            "offchip": offchip,
            "offchip_bytes": sum(way.size_bytes for way in offchip),
            "resources": resources_of_all(reports, alike),
            "excluded": [],
            "published": [],  # those figures are for one device
            "workload_parameters": workload.fields(),
            "instructions": sum(report.instructions for report in reports) * alike,
            "devices": DevicesUse(
                devices=alike * len(stages),
                tensor_parallel=alike,
                pipeline_parallel=len(stages),
                simulated=len({id(stage) for stage in stages}),
                stages=[_stage(stage) for stage in stages],
            ),
        }
    )


def _stage(stage: StageExecution) -> StageUse:
    report = stage.report
    return StageUse(
        layers=stage.stage.share.model.layers,
        seconds=report.latency_s,
        link_seconds=report.bound.seconds("link"),
        memory_bytes=sum(memory.used_bytes or 0 for memory in report.memories),
        capacity_bytes=sum(memory.size_bytes for memory in report.memories if memory.used_bytes is not None),
    )


def _decoding(
    reports: Sequence[Report], workload: DecoderWorkload, steps: Sequence[Step], ends: Sequence[int], rate: int
) -> DecodingUse:
    """Tokens as they leave the last stage; the longest context is what the fullest device has room for."""
    own = [report.decoding for report in reports if report.decoding]
    room = [decoding.longest_context for decoding in own if decoding.longest_context is not None]
    return decoding_use(
        workload.run,
        steps,
        ends,
        rate,
        lm_head=own[0].lm_head,
        longest_context=min(room, default=None),
    )


def _breakdown(reports: Sequence[Report], cycles: int) -> list[KindShare]:
    kinds = Counter[str]()
    for report in reports:
        kinds.update({part.kind: part.cycles for part in report.breakdown})
    return [KindShare(kind=kind, cycles=count, share=count / cycles) for kind, count in kinds.most_common()]


def _bound(reports: Sequence[Report], seconds: float) -> Bound:
    lower = fsum(report.bound.lower_bound_s for report in reports)
    causes: dict[str, BoundPart] = {}
    for report in reports:
        for part in report.bound.distance:
            before = causes[part.cause].seconds if part.cause in causes else 0.0
            causes[part.cause] = part.model_copy(update={"seconds": before + part.seconds})
    distance = list(causes.values())
    if len(reports) > 1:
        spent = seconds - lower - fsum(part.seconds for part in distance)
        distance.append(BoundPart(cause="stages at work side by side", kind="waits", seconds=spent))
    ratio = seconds / lower if lower else 0.0
    return Bound(lower_bound_s=lower, ratio=ratio, note=reports[0].bound.note, distance=distance)

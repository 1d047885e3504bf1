"""One report of several devices, from the reports of those that differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, fsum
from typing import Any

from hwsim.devices.schedule import pipeline_ends
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.parallel import Stage
from hwsim.mapping.step import Step
from hwsim.report.schema import (
    Bound,
    DevicesUse,
    DramUse,
    EnergyUse,
    KindShare,
    Report,
    StageUse,
    UnitUse,
)
from hwsim.report.steps import token_latencies

# Components of energy that depend on time, whether a device works or waits for others.
STANDING = ("dram_background", "dram_refresh", "asic_static", "standby_active", "standby_precharged", "refresh")
# Ends of the names of resources that do not belong to a device: time, and what was simulated.
OF_THE_RUN = ("_cycles", "_played", "_repeated")
LINK = "link between devices"  # the name that machines use among the causes of their time


@dataclass(frozen=True, kw_only=True)
class StageRun:
    """The run of one device of a stage; the other devices of the stage are equal.

    Attributes
    ----------
    ends : tick in which each step ended on this device, as if it never waited for other stages
    """

    stage: Stage
    report: Report
    ends: Sequence[int]
    ticks_per_second: int

    @property
    def durations(self) -> list[int]:
        return [end - before for before, end in zip([0, *self.ends], self.ends)]


def combine(workload: DecoderWorkload, steps: Sequence[Step], stages: Sequence[StageRun]) -> Report:
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
    decodes = workload.run.phase == "decode"
    vectors = workload.run.batch * (workload.run.tokens if decodes else workload.run.prompt)
    prompt_end = ends[prompt_steps - 1] if decodes and prompt_steps else 0
    reports, alike = [stage.report for stage in stages], stages[0].stage.split.tensor
    energy = _energy(reports, alike, seconds, workload)
    cycles = ceil(Fraction(ends[-1], rate) * Fraction(first.clock_hz))
    offchip = Counter[str]()
    for report in reports:
        offchip.update({key: size * alike for key, size in report.offchip.items()})
    return first.model_copy(
        update={
            "cycles": cycles,
            "latency_s": seconds,
            "tokens_per_s": vectors / (seconds - prompt_end / rate),
            "time_to_first_token_s": ends[prompt_steps if decodes else -1] / rate,
            "token_latencies": token_latencies(steps, ends, prompt_steps if decodes else 0, rate),
            "energy_j": energy.joules if energy else None,
            "energy": energy,
            "breakdown": _breakdown(reports, cycles),
            "units": _units(reports, cycles),
            "bottleneck": f"a device of stage 1: {first.bottleneck}",
            "bound": _bound(reports, seconds),
            "dram": _dram(reports, alike),
            "offchip": dict(offchip),
            "offchip_bytes": offchip.total(),
            "resources": _resources(reports, alike),
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


def _stage(stage: StageRun) -> StageUse:
    memory = stage.report.resources
    return StageUse(
        layers=stage.stage.share.model.layers,
        seconds=stage.report.latency_s,
        link_seconds=fsum(p["seconds"] for p in stage.report.bound.distance if p["cause"] == LINK),
        memory_bytes=memory["memory_bytes"],
        capacity_bytes=memory["capacity_bytes"],
    )


def _breakdown(reports: Sequence[Report], cycles: int) -> list[KindShare]:
    kinds = Counter[str]()
    for report in reports:
        kinds.update({part.kind: part.cycles for part in report.breakdown})
    return [KindShare(kind=kind, cycles=count, share=count / cycles) for kind, count in kinds.most_common()]


def _units(reports: Sequence[Report], cycles: int) -> list[UnitUse]:
    """Busy cycles of one device of each stage, added up; utilisation is the mean over all devices."""
    busy = Counter[str]()
    sources: dict[str, UnitUse] = {}
    for report in reports:
        for unit in report.units:
            busy[unit.name] += unit.busy_cycles
            sources.setdefault(unit.name, unit)
    return [
        sources[name].model_copy(update={"busy_cycles": count, "utilisation": count / (cycles * len(reports))})
        for name, count in busy.items()
    ]


def _bound(reports: Sequence[Report], seconds: float) -> Bound:
    lower = fsum(report.bound.lower_bound_s for report in reports)
    causes: dict[str, float] = {}
    for report in reports:
        for part in report.bound.distance:
            causes[part["cause"]] = causes.get(part["cause"], 0.0) + part["seconds"]
    side_by_side = seconds - lower - fsum(causes.values())
    distance: list[dict[str, Any]] = [{"cause": cause, "seconds": spent} for cause, spent in causes.items()]
    if len(reports) > 1:
        distance.append({"cause": "stages at work side by side", "seconds": side_by_side})
    return Bound(lower_bound_s=lower, ratio=seconds / lower if lower else 0.0, distance=distance)


def _dram(reports: Sequence[Report], alike: int) -> DramUse:
    uses = [report.dram for report in reports]
    commands, moved = Counter[str](), [use.bytes_read + use.bytes_written for use in uses]
    for use in uses:
        commands.update({name: count * alike for name, count in use.commands.items()})
    return DramUse(
        bytes_read=sum(use.bytes_read for use in uses) * alike,
        bytes_written=sum(use.bytes_written for use in uses) * alike,
        io_bytes=sum(use.io_bytes for use in uses) * alike,
        commands=dict(commands),
        row_hit_rate=fsum(use.row_hit_rate * size for use, size in zip(uses, moved, strict=True)) / max(sum(moved), 1),
        refreshes=sum(use.refreshes for use in uses) * alike,
        refresh_cycles=sum(use.refresh_cycles for use in uses) * alike,
        commands_represented=sum(use.commands_represented for use in uses) * alike,
        steps_executed=sum(use.steps_executed for use in uses),
    )


def _energy(reports: Sequence[Report], alike: int, seconds: float, workload: DecoderWorkload) -> EnergyUse | None:
    """Energy of all devices without their links; time-dependent parts continue while a device waits."""
    first = reports[0].energy
    if first is None:
        return None
    joules: dict[str, float] = defaultdict(float)
    for report in reports:
        assert report.energy is not None
        longer = seconds / report.latency_s
        for part in report.energy.components:
            times = longer if part.component in STANDING else 1.0
            joules[part.component] += part.joules * alike * times
    total = fsum(joules.values())
    macs = fsum(r.energy.joules / r.energy.joules_per_mac for r in reports if r.energy and r.energy.joules_per_mac)
    return first.model_copy(
        update={
            "joules": total,
            "joules_per_token": total / (workload.run.taken_in * workload.run.batch),
            "mean_power_w": total / seconds,
            "joules_per_mac": total / (macs * alike) if macs else None,
            "components": [
                part.model_copy(
                    update={"joules": joules[part.component], "share": joules[part.component] / total if total else 0.0}
                )
                for part in first.components
            ],
        }
    )


def _resources(reports: Sequence[Report], alike: int) -> dict[str, Any]:
    """Sums over all devices, times over the stages; the longest context is the one that the fullest device can hold."""
    totals = {
        key: sum(report.resources[key] for report in reports) * (1 if key.endswith(OF_THE_RUN) else alike)
        for key, value in reports[0].resources.items()
        if isinstance(value, int)
    }
    return {**totals, "max_context": min(report.resources["max_context"] for report in reports)}

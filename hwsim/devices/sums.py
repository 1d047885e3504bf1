"""Counts, bytes, memories, energy and resources of all devices, from those of one device of each stage.

Each stage has `alike` devices, which all do the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from math import fsum

from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.report.schema import (
    DramUse,
    EnergyUse,
    LinkUse,
    MemoryPart,
    MemoryUse,
    Report,
    ResourceUse,
    Stall,
    UnitUse,
)


def units_of_all(reports: Sequence[Report], alike: int, cycles: int) -> list[UnitUse]:
    """Busy cycles and waits of one device of each stage, added up; utilisation is the mean over all devices."""
    found: dict[str, list[UnitUse]] = defaultdict(list)
    for report in reports:
        for unit in report.units:
            found[unit.name].append(unit)
    return [_unit(units, alike, cycles * len(reports)) for units in found.values()]


def _unit(units: Sequence[UnitUse], alike: int, cycles: int) -> UnitUse:
    busy = sum(unit.busy_cycles for unit in units)
    stalls = Counter[str]()
    for unit in units:
        stalls.update({stall.cause: stall.cycles for stall in unit.stalls})
    return units[0].model_copy(
        update={
            "count": sum(unit.count for unit in units) * alike,
            "busy_cycles": busy,
            "utilisation": busy / cycles,
            "stalls": [Stall(cause=cause, cycles=waited, share=waited / cycles) for cause, waited in stalls.items()],
        }
    )


def memories_of_all(reports: Sequence[Report], alike: int) -> list[MemoryUse]:
    """Each memory with the bytes of all devices."""
    return [_memory([report.memory(memory.name) for report in reports], alike) for memory in reports[0].memories]


def _memory(memories: Sequence[MemoryUse], alike: int) -> MemoryUse:
    def total(of: Callable[[MemoryUse], int | None]) -> int | None:
        sizes = [size for size in map(of, memories) if size is not None]
        return sum(sizes) * alike if sizes else None

    first = memories[0]
    return first.model_copy(
        update={
            "size_bytes": total(lambda memory: memory.size_bytes),
            "used_bytes": total(lambda memory: memory.used_bytes),
            "padding_bytes": total(lambda memory: memory.padding_bytes),
            "bytes_read": total(lambda memory: memory.bytes_read),
            "bytes_written": total(lambda memory: memory.bytes_written),
            "parts": [
                MemoryPart(holds=part.holds, size_bytes=sum(memory.holding(part.holds) for memory in memories) * alike)
                for part in first.parts
            ],
        }
    )


def dram_of_all(reports: Sequence[Report], alike: int) -> DramUse | None:
    """Commands and bytes of all devices; cycles and simulated steps are summed over the stages only."""
    uses = [report.dram for report in reports if report.dram]
    if not uses:
        return None
    commands, moved = Counter[str](), [use.bytes_read + use.bytes_written for use in uses]
    for use in uses:
        commands.update({name: count * alike for name, count in use.commands.items()})

    def over_stages(of: Callable[[DramUse], int | None]) -> int | None:
        counts = [count for count in map(of, uses) if count is not None]
        return sum(counts) if counts else None

    return DramUse(
        standard=uses[0].standard,
        bytes_read=sum(use.bytes_read for use in uses) * alike,
        bytes_written=sum(use.bytes_written for use in uses) * alike,
        io_bytes=sum(use.io_bytes for use in uses) * alike,
        commands=dict(commands),
        row_hit_rate=fsum(use.row_hit_rate * size for use, size in zip(uses, moved, strict=True)) / max(sum(moved), 1),
        refreshes=sum(use.refreshes for use in uses) * alike,
        refresh_cycles=sum(use.refresh_cycles for use in uses) * alike,
        commands_represented=sum(use.commands_represented for use in uses) * alike,
        steps_executed=sum(use.steps_executed for use in uses),
        trace_cycles=over_stages(lambda use: use.trace_cycles),
        refresh_cost_cycles=over_stages(lambda use: use.refresh_cost_cycles),
        programs_played=over_stages(lambda use: use.programs_played),
        programs_repeated=over_stages(lambda use: use.programs_repeated),
    )


def energy_of_all(reports: Sequence[Report], alike: int, seconds: float, workload: DecoderWorkload) -> EnergyUse | None:
    """Energy of all devices without their links; time-dependent parts continue while a device waits."""
    first = reports[0].energy
    if first is None:
        return None
    joules: dict[str, float] = defaultdict(float)
    for report in reports:
        assert report.energy is not None
        longer = seconds / report.latency_s
        for part in report.energy.components:
            times = longer if part.standing else 1.0
            joules[part.component] += part.joules * alike * times
    total = fsum(joules.values())
    macs = fsum(r.energy.joules / r.energy.joules_per_mac for r in reports if r.energy and r.energy.joules_per_mac)
    return first.model_copy(
        update={
            "joules": total,
            "joules_per_unit": total / (workload.run.taken_in * workload.run.batch),
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


def offchip_of_all(reports: Sequence[Report], alike: int) -> list[LinkUse]:
    moved = Counter[str]()
    for report in reports:
        for way in report.offchip:
            moved[way.link] += way.size_bytes * alike
    return [LinkUse(link=link, size_bytes=size) for link, size in moved.items()]


def resources_of_all(reports: Sequence[Report], alike: int) -> list[ResourceUse]:
    """Sums over all devices."""
    return [
        use.model_copy(
            update={"used": sum(report.resource(use.place, use.resource).used for report in reports) * alike}
        )
        for use in reports[0].resources
    ]

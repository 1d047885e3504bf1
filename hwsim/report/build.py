"""What every machine's report consists of, put together once; a machine gives what is its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from hwsim.engine.trace import Cause
from hwsim.engine.unit_spec import UnitKind, UnitSpec
from hwsim.mapping.workload.workload import Workload
from hwsim.parameters.provenance import UNCONFIRMED
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.run_time import RunTime
from hwsim.report.schema import (
    AttentionUse,
    AxiPortUse,
    Bound,
    BoundPart,
    DecodingUse,
    DistanceKind,
    DramUse,
    EnergyUse,
    Excluded,
    FpgaUse,
    KindShare,
    LinkUse,
    LoadUse,
    MemoryUse,
    PassesUse,
    Published,
    Report,
    ResourceUse,
    Stall,
    Throughput,
    UnconfirmedParameter,
    UnitUse,
)
from hwsim.rtl.contract import Resources
from hwsim.version import VERSION

# What contracts count of a chip without a budget.
COUNTS = ("adders", "multipliers", "sram_bytes")

Distance = tuple[str, DistanceKind, int]  # a cause in words, its kind, ticks


def build_report(
    *,
    machine: str,
    spec: BaseModel,
    spec_file: SpecFile[Any],
    workload: Workload[Any, Any],
    schedule: str,
    time: RunTime,
    throughput: Throughput,
    kinds: Mapping[str, int],
    units: Iterable[UnitUse],
    bottleneck: str,
    bound: Bound,
    memories: Iterable[MemoryUse],
    offchip: Mapping[str, int],
    energy: EnergyUse | None,
    resources: Iterable[ResourceUse],
    instructions: int,
    excluded: Iterable[Excluded] = (),
    published: Iterable[Published] = (),
    decoding: DecodingUse | None = None,
    dram: DramUse | None = None,
    fpga: FpgaUse | None = None,
    loads: Sequence[LoadUse] | None = None,
    ports: Sequence[AxiPortUse] | None = None,
    passes: PassesUse | None = None,
    attention: Sequence[AttentionUse] | None = None,
) -> Report:
    """The report of a run on one device.

    Parameters
    ----------
    machine : name that the parameters give it
    kinds : operator kind -> ticks
    offchip : way out of the chip -> bytes
    """
    return Report(
        hwsim_version=VERSION,
        machine=machine,
        workload=workload.name,
        schedule=schedule,
        cycles=time.cycles(time.ticks),
        clock_hz=float(time.clock.freq_hz),
        latency_s=time.seconds(time.ticks),
        throughput=throughput,
        breakdown=[
            KindShare(kind=kind, cycles=time.cycles(ticks), share=time.share(ticks)) for kind, ticks in _by_time(kinds)
        ],
        units=list(units),
        bottleneck=bottleneck,
        bound=bound,
        memories=list(memories),
        offchip_bytes=sum(offchip.values()),
        offchip=[LinkUse(link=link, size_bytes=size) for link, size in offchip.items()],
        energy_j=energy.joules if energy else None,
        energy=energy,
        resources=list(resources),
        instructions=instructions,
        excluded=list(excluded),
        published=list(published),
        unconfirmed=_unconfirmed(spec_file, spec, energy),
        parameters=spec.model_dump(),
        workload_parameters=workload.fields(),
        decoding=decoding,
        dram=dram,
        fpga=fpga,
        loads=None if loads is None else list(loads),
        ports=None if ports is None else list(ports),
        passes=passes,
        attention=None if attention is None else list(attention),
    )


def unit_use(time: RunTime, unit: UnitSpec, busy: int, stalls: Mapping[str | Cause, int] | None = None) -> UnitUse:
    """How busy a unit was.

    Parameters
    ----------
    busy : ticks in which it worked
    stalls : cause -> ticks in which it waited, as a trace has them or in words
    """
    return UnitUse(
        name=unit.name,
        kind=unit.kind,
        count=unit.count,
        busy_cycles=time.cycles(busy),
        utilisation=time.share(busy),
        stalls=[
            Stall(cause=str(cause), cycles=time.cycles(ticks), share=time.share(ticks))
            for cause, ticks in (stalls or {}).items()
            if ticks
        ],
        source=unit.source,
        proven=unit.proven,
        compared=unit.compared or None,
    )


def waits_for_turn(time: RunTime, unit: str, busy: Mapping[str, int]) -> dict[str | Cause, int]:
    """What a unit waits for in a machine whose units take turns: the others, and clock edges.

    Parameters
    ----------
    busy : unit -> ticks in which it worked, never two at once

    Returns
    -------
    cause -> ticks; with the unit's own they add up to the run
    """
    others: dict[str | Cause, int] = {f"{name} at work": ticks for name, ticks in busy.items() if name != unit}
    return {**others, "clock edges": time.ticks - sum(busy.values())}


def bound_use(time: RunTime, lower: int, note: str, distance: Sequence[Distance]) -> Bound:
    """The latency as its lower bound and what lies above it.

    Parameters
    ----------
    lower : ticks that nothing can undercut
    note : what it counts
    distance : causes with their ticks; with `lower` they add up to the run

    Raises
    ------
    AssertionError : they do not
    """
    assert lower + sum(ticks for _, _, ticks in distance) == time.ticks, "bound and distance must add up to the latency"
    least = time.seconds(lower)
    return Bound(
        lower_bound_s=least,
        ratio=time.seconds(time.ticks) / least if least else 0.0,
        note=note,
        distance=[BoundPart(cause=cause, kind=kind, seconds=time.seconds(ticks)) for cause, kind, ticks in distance],
    )


def busiest(time: RunTime, busy: Mapping[str, int], kinds: Mapping[str, int]) -> tuple[str, str]:
    """The unit that is busiest, and one line about it and the work that takes most time."""
    unit = max(busy, key=lambda name: busy[name])
    most = ", ".join(kind for kind, _ in _by_time(kinds)[:2])
    return unit, f"{unit}: busy {time.share(busy[unit]):.1%} of the time; most time goes to {most}"


def chip_resources(units: Iterable[UnitSpec], place: UnitKind) -> list[ResourceUse]:
    """What the contracts of the units at one place count of it; such a chip has no budget."""
    total = sum((unit.resources for unit in units if unit.kind == place), Resources())
    return [
        ResourceUse(place=place, resource=name, used=getattr(total, name), available=None)
        for name in COUNTS
        if getattr(total, name)
    ]


def _unconfirmed(spec_file: SpecFile[Any], spec: BaseModel, energy: EnergyUse | None) -> list[UnconfirmedParameter]:
    """Parameters of the machine, then coefficients of the energy table in use, that are remembered or assumed."""
    found = [UnconfirmedParameter(**vars(entry)) for entry in spec_file.unconfirmed(spec)]
    for entry in energy.coefficients if energy else ():
        if entry.grade in UNCONFIRMED:
            found.append(UnconfirmedParameter(**{**entry.model_dump(), "name": f"energy_table.{entry.name}"}))
    return found


def _by_time(kinds: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    return sorted(kinds.items(), key=lambda item: -item[1])

"""What machines with computing memories tell of a run for its page, put together once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.pim.target import BankGeometry
from hwsim.mapping.step import Step
from hwsim.parameters.provenance import ParameterOrigin
from hwsim.report.details import Details, MemoryMap, Region, Roofline, RooflinePoint
from hwsim.report.steps import step_times


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


def bank_roofline(
    target: BankGeometry,
    points: Sequence[RooflinePoint],
    *,
    latency_s: float,
    macs_per_s: float,
    access_s: float,
    note: str,
) -> Roofline:
    """The banks' MAC units against the banks' own bandwidth: a point for each kind of work, one for the whole run.

    Parameters
    ----------
    macs_per_s : of all MAC units
    access_s : from one column access of a bank to the next
    note : how the two follow from the machine's parameters, beyond the number of banks
    """
    whole = RooflinePoint(
        name="whole run",
        macs=sum(point.macs for point in points),
        moved_bytes=sum(point.moved_bytes for point in points),
        seconds=latency_s,
    )
    column_bytes = target.lanes * target.fmt.bits // 8
    return Roofline(
        peak_macs_per_s=macs_per_s,
        bytes_per_s=target.all_banks * column_bytes / access_s,
        points=(*points, whole),
        note=f"{target.all_banks} banks: {note}",
    )


def bank_map(target: BankGeometry, regions: Iterable[Region], held: Sequence[Sequence[int]]) -> MemoryMap:
    """How a placement fills banks.

    Parameters
    ----------
    held : [channel][bank] -> elements
    """
    element_bytes = target.fmt.bits // 8
    return MemoryMap(
        rows=target.rows,
        regions=tuple(sorted(regions, key=lambda region: region.first_row)),
        held_bytes=tuple(tuple(int(n) * element_bytes for n in banks) for banks in held),
        bank_bytes=target.bank_bytes,
    )

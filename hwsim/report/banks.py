"""What machines whose banks compute tell of them: how full they are, and how far their MAC units are from the roof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from hwsim.mapping.pim.capacity import Occupied
from hwsim.mapping.pim.target import BankGeometry
from hwsim.report.details import MemoryMap, Region, Roofline, RooflinePoint
from hwsim.report.schema import DramUse, MemoryPart, MemoryUse


class Filled(Occupied, Protocol):
    """Rows in use, and what of them holds nothing."""

    @property
    def padding_bytes(self) -> int: ...


def banks_use(placement: Filled, dram: DramUse) -> MemoryUse:
    """What the banks hold and moved: weights, and room for keys and values up to the last token."""
    target = placement.target
    row = target.row_bytes_everywhere
    weights, cache = placement.weight_rows * row, placement.cache_rows * row
    return MemoryUse(
        name="banks",
        kind="dram",
        size_bytes=target.rows * row,
        used_bytes=weights + cache,
        padding_bytes=placement.padding_bytes,
        bytes_read=dram.bytes_read,
        bytes_written=dram.bytes_written,
        parts=[MemoryPart(holds="weights", size_bytes=weights), MemoryPart(holds="cache", size_bytes=cache)],
    )


def buffers_use(name: str, target: BankGeometry, *, reads: int, writes: int) -> MemoryUse:
    """The channels' vector buffers.

    Parameters
    ----------
    reads, writes : accesses, each of a column
    """
    element, column = target.fmt.bits // 8, target.lanes * target.fmt.bits // 8
    return MemoryUse(
        name=name,
        kind="sram",
        size_bytes=target.channels * target.buffer_elements * element,
        used_bytes=None,
        padding_bytes=None,
        bytes_read=reads * column,
        bytes_written=writes * column,
        parts=[],
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
        compute="MAC units",
        memory="banks",
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

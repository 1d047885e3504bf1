"""From a finished run to what its page shows: every step's time, the roofline, the map of the memory."""

from __future__ import annotations

from hwsim.machines.aim.model import Execution
from hwsim.machines.aim.spec import AimSpec
from hwsim.mapping.pim.row_mapping import RowMapped
from hwsim.mapping.pim.rows import RowCache, RowMatrix
from hwsim.mapping.pim.target import BankGeometry
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.banks import bank_map, bank_roofline
from hwsim.report.details import Details, MemoryMap, Region, Roofline, RooflinePoint
from hwsim.report.steps import decoding_details, macs_by_kind


def details(run: Execution, spec_file: SpecFile[AimSpec]) -> Details:
    """What the page of a run shows beyond the report."""
    program, spec = run.program, run.program.spec
    return decoding_details(
        program.workload,
        program.steps(),
        run.ends,
        spec.time_base.ticks_per_second,
        roofline=_roofline(run),
        memory=memory_map(program.mapped),
        parameters=spec_file.origins(spec),
    )


def _roofline(run: Execution) -> Roofline:
    """A column access meets its vector once, so that the MAC units' rate and the banks' bandwidth are one."""
    spec, standard = run.program.spec, run.program.spec.standard
    target = spec.target
    access_s = standard.params["nCCDL"] / float(standard.clock_hz)
    in_memory = (m.operator for m in run.program.mapped.operators if m.unit == "aim")
    macs = macs_by_kind(run.program.steps(), in_memory)
    points = [
        RooflinePoint(
            name=kind,
            macs=macs[kind],
            moved_bytes=accesses * standard.column_bytes,
            seconds=spec.time_base.seconds(run.trace.kinds[kind]),
        )
        for kind, accesses in run.channels.accesses.items()
        if accesses
    ]
    return bank_roofline(
        target,
        points,
        latency_s=spec.time_base.seconds(run.ticks),
        macs_per_s=target.all_banks * target.lanes / access_s,
        access_s=access_s,
        note=f"a column access of {standard.column_bytes} B and {target.lanes} MACs each {access_s * 1e9:g} ns",
    )


def memory_map(mapped: RowMapped) -> MemoryMap:
    """How the placement fills the banks."""
    target = mapped.placement.target
    regions = [
        Region(name=name, kind="weights", first_row=matrix.base_row, rows=matrix.rows)
        for name, matrix in mapped.placement.matrices.items()
    ]
    regions += [
        Region(name=name, kind="K and V", first_row=cache.base_row, rows=cache.rows)
        for name, cache in mapped.placement.caches.items()
    ]
    held = [[0] * target.banks for _ in range(target.channels)]
    for matrix in mapped.placement.matrices.values():
        _hold_matrix(held, matrix, target)
    for cache in mapped.placement.caches.values():
        _hold_cache(held, cache, target)
    return bank_map(target, regions, held)


def _hold_matrix(held: list[list[int]], matrix: RowMatrix, target: BankGeometry) -> None:
    for channel in range(target.channels):
        for bank in range(target.banks):
            outputs = len(range(channel * target.banks + bank, matrix.d_out, target.all_banks))
            held[channel][bank] += outputs * matrix.d_in


def _hold_cache(held: list[list[int]], cache: RowCache, target: BankGeometry) -> None:
    for channel in range(target.channels):
        groups = range(channel, cache.groups, target.channels)
        for bank in range(target.banks):
            tokens = len(range(channel * target.banks + bank, cache.context, target.all_banks))
            keys = tokens * cache.kv_heads * cache.d_k
            within = [g for g in groups if g % cache.head_groups * target.banks + bank < cache.d_v]
            held[channel][bank] += (keys + len(within) * cache.context) * cache.batch

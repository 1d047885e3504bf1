"""From a finished run to what its page shows: every step's time, the roofline, the map of the memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hwsim.machines.pim_gpt.spec import PimGptSpec
from hwsim.machines.pim_gpt.units import Execution
from hwsim.mapping.pim import CachePlacement, MatrixPlacement, PimMapped
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.banks import bank_map, bank_roofline
from hwsim.report.details import Details, MemoryMap, Region, Roofline, RooflinePoint
from hwsim.report.steps import decoding_details, macs_by_kind

MOST_SEQUENCES = 4  # whose K and V a page shows apart


def details(run: Execution, spec_file: SpecFile[PimGptSpec]) -> Details:
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
    spec, standard = run.program.spec, run.program.spec.standard
    access_s = standard.params["nCCD"] / spec.dram_clock_hz
    on_pim = (m.operator for m in run.program.mapped.operators if m.unit == "pim")
    points = [
        RooflinePoint(
            name=kind,
            macs=macs,
            moved_bytes=run.pim.accesses[kind] * standard.column_bytes,
            seconds=spec.time_base.seconds(run.pim.clock.ticks(int(run.pim.causes[kind].sum()))),
        )
        for kind, macs in macs_by_kind(run.program.steps(), on_pim).items()
    ]
    return bank_roofline(
        spec.target,
        points,
        latency_s=spec.time_base.seconds(run.ticks),
        macs_per_s=float(spec.target.all_banks * spec.mac_lanes * spec.mac_clock_hz),
        access_s=access_s,
        note=f"{spec.mac_lanes} MACs each at {spec.mac_clock_hz / 1e9:g} GHz, "
        f"and a column access of {standard.column_bytes} B each {access_s * 1e9:g} ns",
    )


def memory_map(mapped: PimMapped) -> MemoryMap:
    """How the placement fills the banks."""
    target, placement = mapped.placement.target, mapped.placement
    regions = [
        Region(name=name, kind="weights", first_row=matrix.base_row, rows=matrix.rows)
        for name, matrix in placement.matrices.items()
    ]
    held = np.zeros((target.channels, target.banks), dtype=np.int64)
    for matrix in placement.matrices.values():
        held += _matrix_elements(matrix)
    for cache in placement.caches.values():
        regions += _cache_regions(cache)
        held += _cache_elements(cache)
    return bank_map(target, regions, held.tolist())


def _cache_regions(cache: CachePlacement) -> Iterator[Region]:
    if cache.batch > MOST_SEQUENCES:
        yield Region(
            name=f"{cache.operator}, {cache.batch} sequences", kind="K and V", first_row=cache.base_row, rows=cache.rows
        )
        return
    for sequence in range(cache.batch):
        name = cache.operator if cache.batch == 1 else f"{cache.operator}, sequence {sequence}"
        yield Region(name=name, kind="K", first_row=cache.base_row + cache.k_base(sequence), rows=cache.k_rows)
        yield Region(name=name, kind="V", first_row=cache.base_row + cache.v_base(sequence), rows=cache.v_rows)


def _matrix_elements(matrix: MatrixPlacement) -> NDArray[np.int64]:
    """Weights in each (channel, bank)."""
    target = matrix.target
    outputs = np.array([matrix.outputs(channel) for channel in range(target.channels)], dtype=np.int64)
    return _dealt(outputs, target.banks) * matrix.d_in


def _cache_elements(cache: CachePlacement) -> NDArray[np.int64]:
    """Elements of K and V in each (channel, bank) when every sequence has its full context."""
    target = cache.target
    # tokens go round the channels, those of a channel round its banks
    tokens = _dealt(np.array([cache.context], dtype=np.int64), target.channels)[0]
    keys = _dealt(tokens, target.banks) * cache.heads * cache.head_dim
    # a head's last group of dimensions may leave banks empty
    sizes = np.minimum(target.banks, cache.head_dim - np.arange(cache.head_groups) * target.banks)
    dimensions = np.zeros((target.channels, target.banks), dtype=np.int64)
    for channel in range(target.channels):
        for group in cache.groups(channel):
            dimensions[channel, : sizes[group % cache.head_groups]] += 1
    return (keys + dimensions * cache.context) * cache.batch


def _dealt(counts: NDArray[np.int64], among: int) -> NDArray[np.int64]:
    """Each count dealt out one by one: (len(counts), among)."""
    share, rest = np.divmod(counts[:, None], among)
    return np.asarray(share + (np.arange(among)[None, :] < rest), dtype=np.int64)

"""What of the machine's peak each kind of work reached: attention on the cores, matrices on the companion."""

from __future__ import annotations

from collections import Counter

from hwsim.machines.swat.memory_use import moved_bytes, offchip
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.parts import channels_in_use
from hwsim.machines.swat.rates import companion_macs_per_s, cores_macs_per_s, hbm_bytes_per_s, peak_macs_per_s
from hwsim.report.details import Roofline, RooflinePoint


def roofline(run: Execution) -> Roofline:
    """A point for attention, one for each kind of work on the matrix unit, one for the whole run."""
    spec, seconds = run.program.spec, run.diagram.time_base.seconds
    attention = sum(done.work.operator.macs(done.step) for done in run.ledger.attention)
    moved = sum(
        moved_bytes(done, number).total() for done in run.ledger.attention for number in range(len(done.work.groups))
    )
    points = [
        RooflinePoint(
            name="attention", macs=attention, moved_bytes=moved, peak_macs_per_s=cores_macs_per_s(spec),
            seconds=seconds(run.ledger.kinds["attention"]),
        ),
        *_beside(run),
    ]  # fmt: skip
    whole = RooflinePoint(
        name="whole run",
        macs=sum(point.macs for point in points),
        moved_bytes=sum(offchip(run).values()),
        seconds=seconds(run.ticks),
    )
    return Roofline(
        compute="cores and matrix unit" if run.companion else "cores",
        memory="HBM",
        peak_macs_per_s=peak_macs_per_s(spec),
        bytes_per_s=hbm_bytes_per_s(spec),
        points=(*points, whole),
        note=_note(run),
    )


def _beside(run: Execution) -> list[RooflinePoint]:
    """Kinds of work that multiply and accumulate on the companion, with their weights."""
    macs, moved, ticks = Counter[str](), Counter[str](), Counter[str]()
    for work, played in run.ledger.beside:
        macs[work.kind] += work.macs
        moved[work.kind] += played.row_bytes + work.weight_bytes
        ticks[work.kind] += played.ended - played.begun
    return [
        RooflinePoint(
            name=kind, macs=count, moved_bytes=moved[kind], seconds=run.diagram.time_base.seconds(ticks[kind]),
            peak_macs_per_s=companion_macs_per_s(run.program.spec),
        )
        for kind, count in macs.items()
        if count
    ]  # fmt: skip


def _note(run: Execution) -> str:
    spec = run.program.spec
    cores = f"{spec.cores * spec.pipelines:,} cores with a product each {spec.qk_interval} cycles in QK and each "
    cores += f"{spec.sv_interval} in SV"
    beside = f", and a matrix unit of {companion_macs_per_s(spec) / 1e9:,.1f} GMAC/s, which works when they do not"
    return (
        f"{cores}{beside if run.companion else ''}, at {spec.clock_hz / 1e6:g} MHz; {channels_in_use(spec)} channels "
        f"of HBM with {hbm_bytes_per_s(spec) / channels_in_use(spec) / 1e9:.1f} GB/s each"
    )

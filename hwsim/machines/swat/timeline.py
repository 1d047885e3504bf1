"""The first rows of a run as tracks: a track a stage and a slice a row; beside them the companion's units."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.engine.timeline import Span, Timeline, Track
from hwsim.engine.trace import STALL
from hwsim.machines.swat.companion.player import Played
from hwsim.machines.swat.companion.work import CompanionWork
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.row_tracks import pipeline_track

ENGINES = ("matrix", "vector")


def timeline(run: Execution) -> Timeline:
    """A track each for the pipelines, with their stages below, and for the companion, with its two units below."""
    tracks = [pipeline_track(run, number) for number in range(run.program.spec.pipelines)]
    if run.ledger.beside:
        tracks.append(_companion_track(run))
    return Timeline(
        name=f"{run.program.workload.name} on {run.program.spec.name}",
        ticks_per_second=run.diagram.time_base.ticks_per_second,
        tracks=tuple(tracks),
    )


def _companion_track(run: Execution) -> Track:
    """Operators, and below them the passes of each unit; those of the first step, as the trace keeps them."""
    clock = run.diagram.clocks["fabric"]
    kept = run.ledger.beside[
        : sum(each.unit == "companion" and each.kind != STALL for each in run.diagram.trace.slices)
    ]
    spans = tuple(
        Span(played.begun, played.ended, work.name, _about(work) | _waits(played, clock.period_ticks))
        for work, played in kept
    )
    children = tuple(
        Track(name=engine, clock=clock, spans=tuple(_passes(kept, engine, clock.period_ticks))) for engine in ENGINES
    )
    return Track(name="companion", clock=clock, spans=spans, children=children)


def _passes(kept: list[tuple[CompanionWork, Played]], engine: str, period: int) -> Iterator[Span]:
    for work, played in kept:
        for number, (each, one) in enumerate(zip(work.passes, played.passes, strict=True)):
            if each.engine == engine:
                about = {"pass": number, "rows": each.rows, "tiles": each.tiles, "weights_bytes": each.weight_bytes}
                yield Span(one.begun, one.ended, work.name, _about(work) | about | _waits(one, period))


def _about(work: CompanionWork) -> dict[str, int | str]:
    layer = {} if work.layer is None else {"layer": work.layer}
    return {"operator": work.name, "kind": work.kind, **layer}


def _waits(played: Played, period: int) -> dict[str, int | str]:
    """Cycles in which the unit waited within a slice: their places are not kept."""
    waits = {"rows": played.rows_wait, "weights": played.weights_wait, "writes": played.writes_wait}
    return {f"waits_for_{what}": ticks // period for what, ticks in waits.items() if ticks}

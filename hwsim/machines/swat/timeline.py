"""The first rows of a run as tracks: a track a stage, a slice a row."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.engine.timeline import Span, Timeline, Track
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.rows.player import Played
from hwsim.machines.swat.stages import Stage, stages_of


def timeline(run: Execution) -> Timeline:
    """A track each for the sequence of operators, and below each pipeline its stages."""
    whole = run.diagram.timeline(f"{run.program.workload.name} on {run.program.spec.name}")
    return Timeline(
        name=whole.name,
        ticks_per_second=whole.ticks_per_second,
        tracks=tuple(_with_stages(run, track) for track in whole.tracks),
    )


def _with_stages(run: Execution, track: Track) -> Track:
    number = track.name.removeprefix("pipeline")
    if number == track.name:
        return track
    spans = _spans(run, int(number))
    children = tuple(Track(name=name, clock=track.clock, spans=tuple(found)) for name, found in spans.items())
    return Track(name=track.name, clock=track.clock, spans=track.spans, counters=track.counters, children=children)


def _spans(run: Execution, pipeline: int) -> dict[str, list[Span]]:
    """Slices of each stage, in order of time."""
    found: dict[str, list[Span]] = {}
    for done in run.ledger.attention:
        for played, rows in zip(done.played[pipeline], _rows(done, pipeline)):
            for number, stage in enumerate(stages_of(done.work.design)):
                found.setdefault(stage.name, []).extend(_of_stage(played, number, stage, rows, done))
    return found


def _rows(done: AttentionDone, pipeline: int) -> Iterator[list[int]]:
    """Positions of the queries of a head's rows, for each group of heads that the pipeline took."""
    for group in done.work.groups:
        if group.heads(done.work.design, pipeline):
            yield [row for each in group.plan.passes for row in each.rows.tolist()]


def _of_stage(played: Played, number: int, stage: Stage, rows: list[int], done: AttentionDone) -> Iterator[Span]:
    for at, (begin, end) in enumerate(played.log[:, number].tolist()):
        head, row = divmod(at, len(rows))
        arguments: dict[str, int | str] = {"operator": done.work.operator.name, "head": head, "query": rows[row]}
        yield Span(begin, end, f"row {rows[row]}", arguments)

"""What a pipeline did for the first rows of each operator of attention: a track a stage, a slice a row.

A stage that begins a row and must wait has a slice for the wait: that of LOAD for memory stands before the row, though
some of it lies between the row's loads.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwsim.engine.clock import Clock
from hwsim.engine.timeline import Counter, Span, Track
from hwsim.machines.swat.first_rows import FirstRow, first_rows
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.lower import HeadGroup
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.rows.player import Heads, Played
from hwsim.machines.swat.stages import stages_of

LOAD, SCORES = "LOAD", "QK"


def pipeline_track(run: Execution, pipeline: int) -> Track:
    """Operators with the heads that the pipeline took of them, and below them its stages."""
    clock = run.diagram.clocks["fabric"]
    stages = stages_of(run.ledger.attention[0].work.design)
    spans: list[Span] = []
    slices: dict[str, list[Span]] = {stage.name: [] for stage in stages}
    levels: dict[str, dict[int, int]] = {LOAD: {}, SCORES: {}}
    for done, group, heads, played in _kept(run, pipeline):
        spans.append(Span(played.begun, played.ended, done.work.operator.name, _of_group(done, group, heads)))
        for row in first_rows(done, group, heads, played, pipeline):
            for name, span in _slices(row, done):
                slices[name].append(span)
            levels[LOAD] |= {row.times[LOAD][0]: row.loads, row.times[LOAD][1]: 0}
            levels[SCORES] |= {row.times[SCORES][0]: row.keys, row.times[SCORES][1]: 0}
    counters = {
        LOAD: _counter("rows of K and V to load", "rows", levels[LOAD]),
        SCORES: _counter("cores with a key", "cores", levels[SCORES]),
    }
    return Track(
        name=f"pipeline{pipeline}",
        clock=clock,
        spans=tuple(spans),
        children=tuple(_stage(name, clock, found, counters.get(name)) for name, found in slices.items()),
    )


def _stage(name: str, clock: Clock, spans: list[Span], counter: Counter | None) -> Track:
    return Track(name=name, clock=clock, spans=tuple(spans), counters=(counter,) if counter else ())


def _kept(run: Execution, pipeline: int) -> Iterator[tuple[AttentionDone, HeadGroup, Heads, Played]]:
    """Groups of heads that the pipeline took, as far as rows of them are kept."""
    for done in run.ledger.attention:
        taken = [(group, heads) for group in done.work.groups if (heads := group.heads(done.work.design, pipeline))]
        for (group, heads), played in zip(taken, done.played[pipeline], strict=True):
            if len(played.log):
                yield done, group, heads, played


def _of_group(done: AttentionDone, group: HeadGroup, heads: Heads) -> dict[str, int | str]:
    return {
        **_of_operator(done), "pattern": str(group.pattern), "heads": heads.count, "passes": len(group.plan.passes),
    }  # fmt: skip


def _of_operator(done: AttentionDone) -> dict[str, int | str]:
    op = done.work.operator
    layer = {} if op.layer is None else {"layer": op.layer}
    return {"operator": op.name, "kind": op.kind, **layer}


def _slices(row: FirstRow, done: AttentionDone) -> Iterator[tuple[str, Span]]:
    """Stage and slice, the wait before the row's own where there is one."""
    about = {**_of_operator(done), **row.about}
    if row.before:
        begin, end, loads = row.before
        yield LOAD, Span(begin, end, f"first keys of pass {row.number}", {**about, "loads": loads})
    for name, (begin, end) in row.times.items():
        works = begin
        if wait := row.waits.get(name):
            works += wait.ticks
            yield name, Span(begin, works, wait.cause, {**about, "kind": "stall"})
        more = {LOAD: {"loads": row.loads}, SCORES: {"keys": row.keys}}.get(name, {})
        yield name, Span(works, end, f"row {row.query}", {**about, **more})


def _counter(name: str, unit: str, levels: dict[int, int]) -> Counter | None:
    """A quantity over time; where a row follows at once, its value stands."""
    if not levels:
        return None
    ticks = sorted(levels)
    return Counter(name=name, unit=unit, ticks=np.array(ticks), values=np.array([levels[tick] for tick in ticks]))

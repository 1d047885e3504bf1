"""The first rows of a run through the stages, for its page."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.machines.swat.first_rows import FirstRow, first_rows
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.rows.player import RowPlayer
from hwsim.machines.swat.stages import stages_of
from hwsim.report.stage_chart import StageChart, StageSpan

FIRST_ROWS = 8


def stage_chart(run: Execution) -> StageChart:
    """The first rows of the run on the first pipeline, played again: nothing had used its channels before them."""
    done = run.ledger.attention[0]
    design, group = done.work.design, done.work.groups[0]
    heads = group.heads(design, 0)
    assert heads is not None  # the first head goes to the first pipeline
    played = RowPlayer(design).play(heads, done.played[0][0].begun, keep=FIRST_ROWS)
    rows = list(first_rows(done, group, heads, played, 0))
    stages = tuple(stage.name for stage in stages_of(design))
    origin, period = rows[0].times[stages[0]][0], run.diagram.clocks["fabric"].period_ticks
    return StageChart(
        title=f"the first rows of {done.work.operator.name}",
        stages=stages,
        spans=tuple(span for number, row in enumerate(rows) for span in _spans(row, number, origin, period)),
    )


def _spans(row: FirstRow, number: int, origin: int, period: int) -> Iterator[StageSpan]:
    """A row in each stage, the wait before it where there is one."""

    def span(stage: str, begin: int, end: int, waits: str = "") -> StageSpan:
        at = [(tick - origin) // period for tick in (begin, end)]
        return StageSpan(stage=stage, number=number, name=f"row {row.query}", begin=at[0], end=at[1], waits=waits)

    for stage, (begin, end) in row.times.items():
        works = begin
        if wait := row.waits.get(stage):
            works += wait.ticks
            yield span(stage, begin, works, wait.cause)
        yield span(stage, works, end)

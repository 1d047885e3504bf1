"""Figures of attention on cores: which core holds which key, and the first rows through the stages."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from hwsim.report.core_map import CoreMap, Held
from hwsim.report.html.figure_style import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, palette, styled
from hwsim.report.stage_chart import StageChart, StageSpan

KIND_COLOURS = {
    "window": BLUE,
    "window2d": BLUE,
    "segment": BLUE,
    "global": ORANGE,
    "random": GREEN,
    "global_rows": RED,
    "full": PURPLE,
}
LEAST_WITH_TEXT = 0.035  # of the axis, so that a number fits


def cores_figure(cores: CoreMap) -> Any:
    """A line a core; a bar is a key that the core holds for some rows, in the colour of the core's kind."""
    shown = cores.shown_cores
    place = {core: i for i, core in enumerate(shown)}
    figure = go.Figure()
    for i, kind in enumerate(dict.fromkeys(each.kind for each in cores.held)):
        mine = [each for each in cores.held if each.kind == kind]
        spans = [min(each.last + 1, cores.shown_rows) - each.first for each in mine]
        figure.add_bar(
            base=[each.first for each in mine],
            x=spans,
            y=[place[each.core] for each in mine],
            orientation="h",
            name=kind.replace("_", " "),
            text=[f"{e.key}" if s >= LEAST_WITH_TEXT * cores.shown_rows else "" for e, s in zip(mine, spans)],
            textposition="inside",
            insidetextanchor="middle",
            constraintext="none",
            insidetextfont={"size": 10},
            textangle=0,
            marker={"color": KIND_COLOURS.get(kind, palette(i + 5)), "line": {"width": 1, "color": "white"}},
            hovertext=[_of_held(each) for each in mine],
            hoverinfo="text",
        )
    figure.update_layout(barmode="overlay", bargap=0.12, showlegend=True)
    whole = {"dtick": 1} if cores.shown_rows <= 10 else {}
    figure.update_xaxes(title="row of the pass", range=[0, cores.shown_rows], showgrid=False, **whole)
    figure.update_yaxes(
        title="core", tickvals=list(range(len(shown))), ticktext=[str(core) for core in shown], showgrid=False,
        range=[len(shown) - 0.5, -0.5],
    )  # fmt: skip
    return styled(figure, height=110 + 17 * len(shown))


def stages_figure(chart: StageChart) -> Any:
    """A line a stage; a bar is a row in it, in the row's colour, and grey where the stage waits with it."""
    figure = go.Figure()
    for number in dict.fromkeys(span.number for span in chart.spans):
        mine = [span for span in chart.spans if span.number == number]
        figure.add_bar(
            base=[span.begin for span in mine],
            x=[span.end - span.begin for span in mine],
            y=[span.stage for span in mine],
            orientation="h",
            name=mine[0].name,
            text=["" if span.waits else span.name.rpartition(" ")[2] for span in mine],
            textposition="inside",
            insidetextanchor="middle",
            constraintext="none",
            insidetextfont={"size": 10},
            textangle=0,
            marker={
                "color": [GREY if span.waits else palette(number) for span in mine],
                "line": {"width": 1, "color": "white"},
            },
            hovertext=[_of_span(span) for span in mine],
            hoverinfo="text",
        )
    figure.update_layout(barmode="overlay", bargap=0.2, showlegend=False)
    figure.update_xaxes(title="cycle", range=[0, max(span.end for span in chart.spans)])
    figure.update_yaxes(categoryorder="array", categoryarray=list(chart.stages), autorange="reversed")
    return styled(figure, height=90 + 30 * len(chart.stages))


def _of_held(held: Held) -> str:
    loaded = "before row 0" if held.loaded is None else f"beside row {held.loaded}"
    return f"core {held.core} ({held.kind}): key {held.key} for rows {held.first} to {held.last}, loaded {loaded}"


def _of_span(span: StageSpan) -> str:
    what = f"{span.waits}, {span.name}" if span.waits else span.name
    return f"{span.stage}: {what}, cycles {span.begin:,} to {span.end:,}"

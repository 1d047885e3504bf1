"""The page's figures in plotly; each is a function from report or details to a figure."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from hwsim.report.details import Details, MemoryMap
from hwsim.report.html.figure_style import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, bars, palette, styled
from hwsim.report.quantities import bytes_text, count_text, seconds_text
from hwsim.report.schema import FpgaUse, Report

REGION_COLOURS = {"weights": BLUE, "K": ORANGE, "V": GREEN, "K and V": PURPLE}


def kinds_figure(report: Report) -> Any:
    """Time by operator kind."""
    parts = [part for part in report.breakdown if part.cycles][::-1]
    seconds = [part.cycles / report.clock_hz for part in parts]
    drawn = go.Bar(
        x=[s * 1e3 for s in seconds],
        y=[part.kind for part in parts],
        text=[f"{part.share:.1%}" for part in parts],
        hovertext=[f"{part.kind}: {part.cycles:,} cycles, {seconds_text(s)}" for part, s in zip(parts, seconds)],
        orientation="h",
        marker_color=BLUE,
    )
    return bars(drawn, x="time (ms)")


def units_figure(report: Report) -> Any:
    """Busy share by unit."""
    units = report.units[::-1]
    drawn = go.Bar(
        x=[unit.utilisation * 100 for unit in units],
        y=[unit.name for unit in units],
        text=[f"{unit.utilisation:.1%}" for unit in units],
        hovertext=[f"{unit.name}: {unit.busy_cycles:,} cycles; timing from: {unit.source}" for unit in units],
        orientation="h",
        marker_color=GREEN,
    )
    figure = bars(drawn, x="busy (% of the run)")
    figure.update_xaxes(range=[0, 115], tickvals=[0, 25, 50, 75, 100])
    return figure


def bound_figure(report: Report) -> Any:
    """From the lower bound to the latency, part by part."""
    parts = [("lower bound", report.bound.lower_bound_s)]
    parts += [(part.cause, part.seconds) for part in report.bound.distance if part.seconds]
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            y=[name for name, _ in parts] + ["latency"],
            x=[seconds * 1e3 for _, seconds in parts] + [report.latency_s * 1e3],
            measure=["absolute"] + ["relative"] * (len(parts) - 1) + ["total"],
            text=[f"{s / report.latency_s:.1%}" for _, s in parts] + ["100.0%"],
            textposition="outside",
            hoverinfo="y+x",
            increasing_marker_color=ORANGE,
            decreasing_marker_color=RED,
            totals_marker_color=BLUE,
            connector_line_color=GREY,
            cliponaxis=False,
        )
    )
    figure.update_yaxes(autorange="reversed")
    furthest = max(accumulate(seconds for _, seconds in parts))  # beyond the latency where units work side by side
    figure.update_xaxes(title="time (ms)", range=[0, furthest * 1e3 * 1.12])
    return styled(figure, height=90 + 34 * (len(parts) + 1))


def latency_figure(details: Details) -> Any:
    """Time of each step over its context; prompt and generated tokens apart."""
    figure = go.Figure()
    for prompt, name, colour in ((True, "prompt", ORANGE), (False, "generated", BLUE)):
        steps = [step for step in details.steps if step.prompt == prompt]
        if steps:
            figure.add_scatter(
                x=[step.context for step in steps],
                y=[step.seconds * 1e6 for step in steps],
                name=name,
                mode="lines+markers" if len(steps) <= 64 else "lines",
                line={"color": colour, "width": 1.5},
                customdata=[step.tokens for step in steps],
                hovertemplate="context %{x}: %{y:.3f} us, %{customdata} tokens at once<extra></extra>",
            )
    figure.update_xaxes(title="context (tokens)")
    figure.update_yaxes(title="time of the step (us)", rangemode="tozero")
    figure.update_layout(showlegend=len({step.prompt for step in details.steps}) > 1)
    return styled(figure, height=360)


def regions_figure(memory: MemoryMap, *, whole: bool) -> Any:
    """Rows of a bank by what they hold; all banks are alike.

    Parameters
    ----------
    whole : show the bank to its last row, or zoom to the rows in use
    """
    used = max((region.first_row + region.rows for region in memory.regions), default=0)
    kinds = list(dict.fromkeys(region.kind for region in memory.regions))
    figure = go.Figure()
    for kind in kinds:
        regions = [region for region in memory.regions if region.kind == kind]
        total = sum(region.rows for region in regions)
        figure.add_bar(
            base=[region.first_row for region in regions],
            x=[region.rows for region in regions],
            y=["bank"] * len(regions),
            orientation="h",
            name=f"{kind}: {total:,} rows",
            marker={
                "color": REGION_COLOURS.get(kind, GREY),
                "line": {"width": 0 if whole or len(memory.regions) > 100 else 0.5, "color": "white"},
            },
            hovertext=[f"{r.name} ({kind}): rows {r.first_row} to {r.first_row + r.rows - 1}" for r in regions],
            hoverinfo="text",
        )
    if whole and used < memory.rows:
        figure.add_bar(
            base=[used], x=[memory.rows - used], y=["bank"], orientation="h",
            name=f"free: {memory.rows - used:,} rows", marker={"color": GREY}, hoverinfo="name",
        )  # fmt: skip
    figure.update_layout(barmode="overlay", bargap=0, showlegend=whole)
    figure.update_yaxes(visible=False)
    title = f"row of every bank, 0 to {memory.rows - 1}" if whole else f"zoom: rows in use, 0 to {used - 1}"
    figure.update_xaxes(title=title, range=[0, memory.rows if whole else used], showgrid=False)
    return styled(figure, height=190 if whole else 130)


def banks_figure(memory: MemoryMap) -> Any:
    """How full each bank is, padding not counted."""
    shares = [[held / memory.bank_bytes * 100 for held in banks] for banks in memory.held_bytes]
    banks = len(memory.held_bytes[0])
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            customdata=[[bytes_text(held) for held in row] for row in memory.held_bytes],
            hovertemplate="channel %{y}, bank %{x}: %{customdata}, %{z:.2f} % of the bank<extra></extra>",
            colorscale="Blues",
            zmin=0,
            zmax=100,
            xgap=1,
            ygap=1,
            texttemplate="%{z:.1f}" if banks * len(shares) <= 512 else None,
            colorbar={"title": {"text": "% held"}, "thickness": 14},
        )
    )
    figure.update_xaxes(title="bank", dtick=1 if banks <= 16 else None, showgrid=False, constrain="domain")
    figure.update_yaxes(title="channel", dtick=1 if len(shares) <= 16 else None, showgrid=False, autorange="reversed")
    return styled(figure, height=max(220, min(640, 110 + 26 * len(shares))))


def fpga_figure(fpga: FpgaUse) -> Any:
    """Share of the part that the units take, a colour a unit; beyond 100 % the design does not fit."""
    kinds = [name for name, available in fpga.available if available][::-1]
    figure = go.Figure()
    for i, unit in enumerate(fpga.units):
        counts = [getattr(unit.cells, kind) for kind in kinds]
        figure.add_bar(
            x=[count / getattr(fpga.available, kind) * 100 for count, kind in zip(counts, kinds)],
            y=[kind.upper() for kind in kinds],
            orientation="h",
            name=f"{unit.unit} x {unit.count}" if unit.count > 1 else unit.unit,
            marker_color=palette(i),
            hovertext=[f"{unit.unit}: {count_text(count)} {kind.upper()}" for count, kind in zip(counts, kinds)],
            hoverinfo="text",
        )
    most = max(getattr(fpga.used, kind) / getattr(fpga.available, kind) for kind in kinds) * 100
    figure.add_vline(x=100, line={"color": RED, "width": 1.5, "dash": "dot"})
    figure.update_layout(barmode="stack", showlegend=True)
    figure.update_xaxes(title=f"share of {fpga.part} (%)", range=[0, max(105, most * 1.08)])
    return styled(figure, height=130 + 34 * len(kinds))

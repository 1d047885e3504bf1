"""The page's roofline in plotly."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

from hwsim.report.details import Roofline, RooflinePoint
from hwsim.report.html.figure_style import log_ticks, palette, styled
from hwsim.report.quantities import bytes_text, rate_text, seconds_text

MARKERS = ("circle", "square", "diamond", "triangle-up", "star", "cross")


def roofline_figure(roofline: Roofline) -> Any:
    """The machine's roof and what each kind of work reached under it, both axes logarithmic."""
    ridge = roofline.peak_macs_per_s / roofline.bytes_per_s
    reached = [point.intensity for point in roofline.points]
    low, high = min([ridge, *reached]) / 4, max([ridge, *reached]) * 8
    figure = go.Figure()
    corners = [low, ridge, high]
    figure.add_scatter(
        x=corners,
        y=[roofline.ceiling(x) / 1e9 for x in corners],
        mode="lines",
        name="roof of the machine",
        line={"color": "#444", "width": 2.5},
        hovertemplate="roof at %{x:.3g} MAC/B: %{y:,.0f} GMAC/s<extra></extra>",
    )
    for i, point in enumerate(roofline.points):
        whose = "the" if point.peak_macs_per_s is None else "its own"
        if point.peak_macs_per_s is not None:
            figure.add_scatter(**_own_roof(roofline, point, high, palette(i)))
        figure.add_scatter(
            x=[point.intensity],
            y=[point.rate / 1e9],
            mode="markers",
            name=f"{point.name}: {roofline.share(point):.1%} of {whose} roof",
            marker={"size": 13, "symbol": MARKERS[i % len(MARKERS)], "color": palette(i)},
            hovertemplate=f"{point.name}: {point.macs:,} MACs, {bytes_text(point.moved_bytes)}, "
            f"{seconds_text(point.seconds)}<br>%{{x:.3g}} MAC/B, %{{y:,.1f}} GMAC/s<extra></extra>",
        )
    lowest = min(point.rate for point in roofline.points) / 1e9
    figure.update_xaxes(title=f"arithmetic intensity (MAC per byte, {roofline.memory})", type="log")
    figure.update_xaxes(range=[math.log10(low), math.log10(high)], **log_ticks(low, high))
    bottom, top = math.log10(lowest / 3), math.log10(roofline.peak_macs_per_s / 1e9 * 3)
    figure.update_yaxes(title="rate (GMAC/s)", type="log", range=[bottom, top], **log_ticks(10**bottom, 10**top))
    for text, x, y, side in (
        (
            f"{roofline.compute}: {rate_text(roofline.peak_macs_per_s, 'MAC/s')}",
            high,
            roofline.peak_macs_per_s,
            "right",
        ),
        (f"{roofline.memory}: {rate_text(roofline.bytes_per_s, 'B/s')}", low, roofline.ceiling(low), "left"),
    ):
        figure.add_annotation(
            x=math.log10(x), y=math.log10(y / 1e9), text=text, showarrow=False, xanchor=side,
            yshift=14 if side == "right" else -12, xshift=30 if side == "left" else -4, font={"size": 12},
        )  # fmt: skip
    return styled(figure, height=430)


def _own_roof(roofline: Roofline, point: RooflinePoint, high: float, colour: str) -> dict[str, Any]:
    """The roof of the multipliers that do some work, where the machine has others."""
    own = point.peak_macs_per_s or 0.0
    return {
        "x": [own / roofline.bytes_per_s, high],
        "y": [own / 1e9] * 2,
        "mode": "lines",
        "line": {"color": colour, "width": 1.5, "dash": "dot"},
        "showlegend": False,
        "hovertemplate": f"roof of {point.name}: {rate_text(own, 'MAC/s')}<extra></extra>",
    }

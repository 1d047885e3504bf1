"""Figures of a load sweep: bandwidth and latency over load, and latency distributions of some loads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hwsim.report.html.figure_style import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, latency_ticks, styled

if TYPE_CHECKING:
    from hwsim.replay.load_point import LoadPoint
    from hwsim.replay.load_report import LoadSweep

RANKS = np.arange(0.25, 100.01, 0.25)  # percent, at which a distribution is drawn
LATENCIES = (("mean", BLUE, "solid"), ("median", GREEN, "dash"), ("99th percentile", ORANGE, "dot"))


def load_figure(sweep: LoadSweep) -> Any:
    """Delivered bandwidth, and below it the latency, over what is offered."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.07, row_heights=[0.45, 0.55])
    points = sweep.loads.points
    offered = [sweep.bytes_per_s(float(point.offered)) / 1e9 for point in points]
    delivered = [sweep.bytes_per_s(point.delivered) / 1e9 for point in points]
    _add_limits(figure, sweep, offered[-1])
    figure.add_scatter(
        x=offered, y=delivered, name="delivered", mode="lines+markers", line={"color": BLUE, "width": 2}, row=1, col=1,
        customdata=[f"{sweep.share(point):.1%}" for point in points],
        hovertemplate="offered %{x:.3f} GB/s (%{customdata} of saturation): delivered %{y:.3f} GB/s<extra></extra>",
    )  # fmt: skip
    latencies = [_latencies(point, sweep.ns) for point in points]
    for i, (name, colour, dash) in enumerate(LATENCIES):
        figure.add_scatter(
            x=offered, y=[each[i] for each in latencies], name=f"latency: {name}", mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash}, marker={"size": 5}, row=2, col=1,
            hovertemplate=f"offered %{{x:.3f}} GB/s: {name} %{{y:,.1f}} ns<extra></extra>",
        )  # fmt: skip
    _add_knee(figure, sweep, delivered[-1])
    low, high = min(map(min, latencies)) / 1.3, max(map(max, latencies)) * 1.3
    figure.update_yaxes(title="delivered (GB/s)", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(
        title=f"{sweep.kind} latency (ns)", type="log", range=[math.log10(low), math.log10(high)], row=2, col=1,
        **latency_ticks(low, high),
    )  # fmt: skip
    figure.update_xaxes(range=[0, offered[-1] * 1.03])
    figure.update_xaxes(title="offered (GB/s)", row=2, col=1)
    return styled(figure, height=640)


def loads_figure(sweep: LoadSweep) -> Any:
    """The share of requests that are done within a time, at some loads."""
    figure = go.Figure()
    shown = shown_loads(sweep)
    for (name, point), colour in zip(shown.items(), (GREEN, PURPLE, BLUE, RED)):
        counts = point.latencies
        ranks = np.searchsorted(np.cumsum(counts.counts), np.ceil(RANKS * counts.total / 100))
        figure.add_scatter(
            x=counts.cycles[ranks] * sweep.ns, y=RANKS, name=name, mode="lines", line={"color": colour, "width": 2},
            line_shape="hv",
            hovertemplate=f"{name}: %{{y:.2f}} % within %{{x:,.1f}} ns<extra></extra>",
        )  # fmt: skip
    low = min(int(point.latencies.cycles[0]) for point in shown.values()) * sweep.ns / 1.1
    high = max(int(point.latencies.cycles[-1]) for point in shown.values()) * sweep.ns * 1.1
    figure.update_xaxes(
        title=f"{sweep.kind} latency from arrival (ns)", type="log", range=[math.log10(low), math.log10(high)],
        **latency_ticks(low, high),
    )  # fmt: skip
    figure.update_yaxes(title="requests done within (%)", range=[0, 102])
    return styled(figure, height=380)


def shown_loads(sweep: LoadSweep) -> dict[str, LoadPoint]:
    """Loads whose distributions are drawn, by what they are: unloaded, half, knee and full."""
    points = sweep.loads.points
    shown = {}
    for share in (0.01, 0.5, 1.0):
        point = min(points, key=lambda point: abs(sweep.share(point) - share))
        shown[f"{sweep.share(point):.0%} of saturation"] = point
    if sweep.loads.knee:
        shown[f"knee, {sweep.share(sweep.loads.knee):.0%}"] = sweep.loads.knee
    return dict(sorted(shown.items(), key=lambda item: item[1].offered))


def _add_limits(figure: Any, sweep: LoadSweep, most: float) -> None:
    """What cannot be exceeded: the load itself, and saturation."""
    saturation = sweep.bytes_per_s(sweep.loads.saturation.delivered) / 1e9
    lines = (
        ("delivered = offered", [0, most], [0, most], {"color": "#888", "width": 1.5, "dash": "dot"}),
        (f"saturation: {saturation:.3f} GB/s", [0, most], [saturation] * 2, {"color": GREY, "width": 3}),
    )
    for name, x, y, line in lines:
        figure.add_scatter(x=x, y=y, name=name, mode="lines", line=line, hoverinfo="skip", row=1, col=1)


def _add_knee(figure: Any, sweep: LoadSweep, most: float) -> None:
    """A line through both panels at the knee, and the latency that may not be exceeded up to it."""
    limit = sweep.rule.growth * sweep.unloaded.latency * sweep.ns
    end = sweep.bytes_per_s(float(sweep.loads.points[-1].offered)) / 1e9
    figure.add_scatter(
        x=[0, end], y=[limit, limit], mode="lines", name=f"{sweep.rule.growth:g} x unloaded mean: {limit:,.1f} ns",
        line={"color": GREY, "width": 3}, hoverinfo="skip", row=2, col=1,
    )  # fmt: skip
    if not sweep.loads.knee:
        return
    knee = sweep.bytes_per_s(float(sweep.loads.knee.offered)) / 1e9
    name = f"knee: {sweep.share(sweep.loads.knee):.1%} of saturation"
    highest = max(_latencies(point, sweep.ns)[-1] for point in sweep.loads.points) * 1.3
    for row, (bottom, top) in enumerate(((0, most), (0.1, highest)), start=1):
        figure.add_scatter(
            x=[knee, knee], y=[bottom, top], mode="lines", name=name, showlegend=row == 1,
            line={"color": RED, "width": 1.5}, hoverinfo="name", row=row, col=1,
        )  # fmt: skip


def _latencies(point: LoadPoint, ns: float) -> tuple[float, float, float]:
    counts = point.latencies
    return point.latency * ns, counts.percentile(50) * ns, counts.percentile(99) * ns

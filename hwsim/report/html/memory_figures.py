"""Figures of one play of a memory: row hits and accesses by bank, commands, latencies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from hwsim.dram.device.standard import Standard
from hwsim.report.html.figure_style import BLUE, ORANGE, bars, latency_ticks, styled

if TYPE_CHECKING:
    from hwsim.dram.random_access.served import LatencyCounts, Served

BINS = 48  # of a latency distribution
MOST_TEXTS = 512  # cells that a heat map labels
MOST_COLUMNS = 16  # and columns, so that the numbers fit
MOST_LABELS = 24  # rows that have a name each


def hits_figure(served: Served, standard: Standard) -> Any:
    """The share of each bank's accesses that found their row open."""
    accesses, activates = served.bank_accesses, served.bank_activates
    with np.errstate(invalid="ignore", divide="ignore"):
        hits = np.where(accesses > 0, np.maximum(0, 1 - activates / accesses) * 100, np.nan)
    return _bank_map(hits, served, standard, unit="hits", colours="Blues", most=100)


def accesses_figure(served: Served, standard: Standard) -> Any:
    """Each bank's share of all accesses; an even share has the middle of the colours."""
    shares = served.bank_accesses / max(1, served.accesses) * 100
    most = max(float(shares.max()), 200 / shares.size)
    return _bank_map(shares, served, standard, unit="of all accesses", colours="Oranges", most=most)


def commands_figure(served: Served) -> Any:
    """How many commands of each name were issued."""
    commands = sorted(served.commands.items(), key=lambda item: item[1])
    total = sum(served.commands.values())
    drawn = go.Bar(
        x=[count for _, count in commands],
        y=[name for name, _ in commands],
        text=[f"{count:,} ({count / total:.1%})" for _, count in commands],
        hovertext=[f"{name}: {count / max(1, served.accesses):.3f} an access" for name, count in commands],
        orientation="h",
        marker_color=BLUE,
    )
    figure = bars(drawn, x="commands")
    figure.update_xaxes(range=[0, max(count for _, count in commands) * 1.6], nticks=5)  # room for the figures
    return figure


def distribution_figure(latencies: Mapping[str, LatencyCounts], ns: float) -> Any:
    """The share of requests in each span of latencies, by kind; the spans grow with the latency."""
    kinds = {kind: counts for kind, counts in latencies.items() if counts.total}
    low = min(int(counts.cycles[0]) for counts in kinds.values())
    high = max(int(counts.cycles[-1]) for counts in kinds.values()) + 1
    edges = np.unique(np.rint(np.geomspace(low, high, BINS + 1)).astype(np.int64))
    figure = go.Figure()
    for (kind, counts), colour in zip(kinds.items(), (BLUE, ORANGE)):
        sums, _ = np.histogram(counts.cycles, bins=edges, weights=counts.counts)
        last = edges[1:] - 1  # whole cycles
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2 * ns,
            width=(edges[1:] - edges[:-1]) * ns,
            y=sums / counts.total * 100,
            name=f"{kind}s: {counts.total:,}",
            marker={"color": colour, "line": {"width": 0}},
            opacity=1 if len(kinds) == 1 else 0.65,
            hovertext=[
                f"{first * ns:,.1f} to {end * ns:,.1f} ns ({first} to {end} cycles): {int(n):,} {kind}s"
                for first, end, n in zip(edges[:-1].tolist(), last.tolist(), sums.tolist())
            ],
            hoverinfo="text",
        )
    figure.update_layout(barmode="overlay", bargap=0, showlegend=True)
    span = low * ns / 1.1, high * ns * 1.1
    figure.update_xaxes(title="latency (ns)", type="log", range=[math.log10(s) for s in span], **latency_ticks(*span))
    figure.update_yaxes(title="share of requests (%)", rangemode="tozero")
    return styled(figure, height=340)


def _bank_map(values: Any, served: Served, standard: Standard, *, unit: str, colours: str, most: float) -> Any:
    """A cell a bank: rows are channels, or of a single channel the groups of its banks.

    Parameters
    ----------
    values : (channels, banks), nan where there is nothing to show
    """
    channels = len(values)
    groups = [_group(standard, bank) for bank in range(0, standard.banks, standard.levels[-1][1])]
    labels = [str(channel) for channel in range(channels)] if channels > 1 else groups
    shape = len(labels), values.size // len(labels)
    figure = go.Figure(
        go.Heatmap(
            z=values.reshape(shape),
            customdata=np.array(_bank_texts(served, standard)).reshape(shape),
            hovertemplate=f"%{{customdata}}, %{{z:.2f}} % {unit}<extra></extra>",
            colorscale=colours,
            zmin=0,
            zmax=most,
            xgap=1,
            ygap=1,
            texttemplate="%{z:.1f}" if values.size <= MOST_TEXTS and shape[1] <= MOST_COLUMNS else None,
            colorbar={"ticksuffix": " %", "thickness": 14},
        )
    )
    figure.update_xaxes(title="bank", dtick=1 if shape[1] <= MOST_COLUMNS else None)
    figure.update_yaxes(title="channel" if channels > 1 else "", autorange="reversed")
    if len(labels) <= MOST_LABELS:
        figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels)
    figure.update_layout(xaxis_showgrid=False, xaxis_zeroline=False, yaxis_showgrid=False, yaxis_zeroline=False)
    return styled(figure, height=max(220, min(640, 110 + 30 * len(labels))))


def _bank_texts(served: Served, standard: Standard) -> list[str]:
    """What is said of each bank, channel by channel."""
    innermost = standard.levels[-1][1]
    places = [
        ", ".join(filter(None, [_group(standard, bank), f"bank {bank % innermost}"])) for bank in range(standard.banks)
    ]
    return [
        f"channel {channel}, {place}: {accesses:,} accesses, {activates:,} activates"
        for channel, counts in enumerate(np.dstack([served.bank_accesses, served.bank_activates]).tolist())
        for place, (accesses, activates) in zip(places, counts)
    ]


def _group(standard: Standard, bank: int) -> str:
    """Where a bank lies within its channel, such as `rank 0, bank group 2`; empty if all lie together."""
    *outer, (_, banks) = standard.levels[1:]
    parts, rest = [], bank // banks
    for level, count in reversed(outer):
        if count > 1:
            parts.append(f"{'bank group' if level == 'bankgroup' else level} {rest % count}")
        rest //= count
    return ", ".join(reversed(parts))

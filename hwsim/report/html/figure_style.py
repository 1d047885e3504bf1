"""What all figures share: colours, sizes, ticks."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#2f6db3", "#e08214", "#3a9b62", "#c2413b", "#7b5aa6", "#c9ced6"

MORE = ("#444", "#1f9aa8", "#d078b4", "#8c6d31", "#a3b02c", "#8296b0", "#e9b48e")
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, *MORE)


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks at 1, 2 and 5 times the powers of ten, written out."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    return {"tickvals": values, "ticktext": [f"{value:,.10g}" for value in values]}


def latency_ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks of a logarithmic axis: more digits where it is short, powers of ten alone where it is long."""
    digits = range(1, 10) if high / low < 10 else (1, 2, 5) if high / low < 1500 else (1,)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [digit * 10.0**decade for decade in decades for digit in digits]
    return {"tickvals": values, "ticktext": [f"{value:,.10g}" for value in values]}


def palette(i: int) -> str:
    """Colours that differ from each other, as far as they go."""
    return PALETTE[i % len(PALETTE)]


def bars(drawn: Any, *, x: str) -> Any:
    """Horizontal bars with their figures behind them."""
    drawn.update(textposition="outside", hoverinfo="text", cliponaxis=False)
    figure = go.Figure(drawn)
    figure.update_xaxes(title=x, range=[0, max(drawn.x, default=1) * 1.15 or 1])
    return styled(figure, height=90 + 34 * len(drawn.y))


def styled(figure: Any, *, height: int) -> Any:
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 10, "r": 20, "t": 14, "b": 10},
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#222"},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
    )
    figure.update_xaxes(automargin=True, ticks="outside")
    figure.update_yaxes(automargin=True)
    return figure

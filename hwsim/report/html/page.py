"""Report and details as one self-contained page: plotly.js lies within, and the browser is told to load nothing."""

from __future__ import annotations

from typing import Any

import jinja2
import plotly.io
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from hwsim.data_file import read_text
from hwsim.report.details import Details
from hwsim.report.html import figures
from hwsim.report.quantities import bytes_text, figure_text, hertz_text, seconds_text
from hwsim.report.schema import Report


def page(report: Report, details: Details) -> str:
    """The page of a run; the same run gives the same text."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters.update(seconds=seconds_text, size=bytes_text, hertz=hertz_text, figure=figure_text)
    drawn = {name: _markup(name, figure) for name, figure in _figures(report, details).items()}
    return environment.from_string(read_text("hwsim.report.html", "page.html")).render(
        report=report,
        details=details,
        figures=drawn,
        headline=_headline(report),
        energy=_energy(report),
        plotly_js=Markup(get_plotlyjs()),
    )


def _figures(report: Report, details: Details) -> dict[str, Any]:
    drawn = {
        "kinds": figures.kinds_figure(report),
        "units": figures.units_figure(report),
        "bound": figures.bound_figure(report),
    }
    if details.steps:
        drawn["latency"] = figures.latency_figure(details)
    if details.roofline and details.roofline.points:
        drawn["roofline"] = figures.roofline_figure(details.roofline)
    if details.memory:
        drawn["memory"] = figures.regions_figure(details.memory, whole=True)
        drawn["rows"] = figures.regions_figure(details.memory, whole=False)
        drawn["banks"] = figures.banks_figure(details.memory)
    return drawn


def _markup(name: str, figure: Any) -> Any:
    """A figure as markup that draws itself, with an id of its own; plotly escapes what could end a script."""
    text = plotly.io.to_html(
        figure,
        full_html=False,
        include_plotlyjs=False,
        div_id=f"figure-{name}",
        config={"displayModeBar": False, "responsive": True},
    )
    return Markup(text)


def _headline(report: Report) -> list[tuple[str, str, str]]:
    """(name, figure, remark)."""
    resources = report.resources
    entries = [
        ("latency", seconds_text(report.latency_s), f"{report.cycles:,} cycles at {hertz_text(report.clock_hz)}"),
        ("throughput", f"{report.tokens_per_s:,.1f} tokens/s", f"{report.tokens:,} tokens, batch {report.batch}"),
        ("time to first token", seconds_text(report.time_to_first_token_s), f"prompt of {report.prompt}"),
        ("energy", *_energy(report)),
        ("over the lower bound", f"{report.bound.ratio:.2f} x", f"bound {seconds_text(report.bound.lower_bound_s)}"),
        ("row-hit rate", f"{report.dram.row_hit_rate:.2%}", f"{report.dram.refreshes:,} refreshes"),
    ]
    if "memory_bytes" in resources and "capacity_bytes" in resources:
        share = resources["memory_bytes"] / resources["capacity_bytes"]
        entries.append(("memory in use", f"{share:.1%}", f"{bytes_text(resources['memory_bytes'])} reserved"))
    return entries


def _energy(report: Report) -> tuple[str, str]:
    if report.energy_j is None:
        return "\N{EM DASH}", "not modelled for this run"
    vectors = max(report.tokens * report.batch, 1)
    return f"{report.energy_j:,.4g} J", f"{report.energy_j / vectors * 1e3:,.4g} mJ a token"

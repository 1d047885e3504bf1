"""Report and details as one self-contained page: plotly.js lies within, and the browser is told to load nothing."""

from __future__ import annotations

from typing import Any

import jinja2
import plotly.io
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from hwsim.data_file import read_text
from hwsim.report.details import Details
from hwsim.report.headline import describe_run, headline, one_of, waits_text
from hwsim.report.html import figures
from hwsim.report.quantities import bytes_text, count_text, figure_text, hertz_text, joules_text, seconds_text
from hwsim.report.render import HOLDS
from hwsim.report.schema import Report

FILTERS = {
    "count": count_text,
    "figure": figure_text,
    "hertz": hertz_text,
    "joules": joules_text,
    "seconds": seconds_text,
    "size": bytes_text,
    "waits": waits_text,
}


def page(report: Report, details: Details) -> str:
    """The page of a run; the same run gives the same text."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters.update(FILTERS)
    drawn = {name: _markup(name, figure) for name, figure in _figures(report, details).items()}
    return environment.from_string(read_text("hwsim.report.html", "page.html")).render(
        report=report,
        details=details,
        figures=drawn,
        described=describe_run(report),
        headline=headline(report),
        unit=one_of(report),
        holds=HOLDS,
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
    if report.fpga:
        drawn["fpga"] = figures.fpga_figure(report.fpga)
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

"""Report and details of a run as one self-contained page."""

from __future__ import annotations

from typing import Any

from hwsim.fpga.inclusion import included_notes
from hwsim.fpga.origins import origin_notes, origin_words
from hwsim.fpga.shortage import shortage_text
from hwsim.report.attention import attention_figures as attention_rows
from hwsim.report.attention import attention_notes
from hwsim.report.details import Details
from hwsim.report.headline import arrivals_text, describe_run, fitted_lines, headline, one_of, waits_text
from hwsim.report.html import attention_figures, figures
from hwsim.report.html.document import document
from hwsim.report.html.roofline_figure import roofline_figure
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
    "shortage": lambda fpga: shortage_text(dict(fpga.used), dict(fpga.available)),
    "arrivals": arrivals_text,
    "origins": lambda fpga: origin_words(unit.origin for unit in fpga.units),
    "fpga_notes": lambda fpga: [
        *origin_notes(unit.origin for unit in fpga.units),
        *included_notes(fpga.included, fpga.uncounted),
    ],
    "attention_figures": attention_rows,
    "attention_notes": attention_notes,
}


def page(report: Report, details: Details) -> str:
    """The page of a run; the same run gives the same text."""
    return document(
        "page.html",
        _figures(report, details),
        filters=FILTERS,
        report=report,
        details=details,
        described=describe_run(report),
        headline=headline(report),
        unit=one_of(report),
        holds=HOLDS,
        fitted=fitted_lines(report.energy) if report.energy else [],
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
        drawn["roofline"] = roofline_figure(details.roofline)
    if details.memory:
        drawn["memory"] = figures.regions_figure(details.memory, whole=True)
        drawn["rows"] = figures.regions_figure(details.memory, whole=False)
        drawn["banks"] = figures.banks_figure(details.memory)
    if report.fpga:
        drawn["fpga"] = figures.fpga_figure(report.fpga)
    for number, cores in enumerate(details.cores, 1):
        drawn[f"cores{number}"] = attention_figures.cores_figure(cores)
    if details.stages:
        drawn["stages"] = attention_figures.stages_figure(details.stages)
    return drawn

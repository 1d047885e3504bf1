"""A page that needs nothing but a browser: plotly.js lies within, and the browser is told to load nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2
import plotly.io
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from hwsim.data_file import read_text


def document(template: str, figures: Mapping[str, Any], *, filters: Mapping[str, Any], **values: Any) -> str:
    """A template of this folder with figures of plotly; equal values give equal text.

    Parameters
    ----------
    figures : by name; the template finds each as `figures.NAME`
    filters : functions of a value to a text
    """
    loader = jinja2.FunctionLoader(lambda name: read_text("hwsim.report.html", name))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, loader=loader)
    environment.filters.update(filters)
    drawn = {name: _markup(name, figure) for name, figure in figures.items()}
    return environment.get_template(template).render(figures=drawn, plotly_js=Markup(get_plotlyjs()), **values)


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

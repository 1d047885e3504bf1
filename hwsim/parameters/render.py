"""Parameters as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from hwsim.parameters.parameter import Parameter


def render_parameters(parameters: Iterable[Parameter], console: Console) -> None:
    """Print a line a parameter."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("parameter", "shipped", "unit", "range", "meaning"):
        table.add_column(head, justify="right" if head == "shipped" else "left", overflow="fold")
    for parameter in parameters:
        allowed = parameter.range_text() or parameter.type
        table.add_row(parameter.name, str(parameter.default), parameter.unit, allowed, parameter.description)
    console.print(table, highlight=False, markup=False)

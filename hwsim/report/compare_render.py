"""A comparison as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hwsim.report.attention import attention_text
from hwsim.report.compare import Comparison, Figure
from hwsim.report.compare_attention import PLAN_ENDS
from hwsim.report.incomparable import letters
from hwsim.report.quantities import bytes_text, seconds_text

TITLES = {
    "headline": "Headline",
    "kinds": "Time by operator kind",
    "units": "Busy share of the units",
    "memories": "Memories",
    "resources": "Resources",
    "dram": "DRAM",
    "commands": "DRAM commands",
    "attention": "Attention, of a head",
}
NOTHING = "\N{EM DASH}"


def render_comparison(comparison: Comparison, console: Console) -> None:
    """Print a comparison: each figure of every report with its ratio to the first, and what cannot be compared."""
    named = letters(len(comparison.reports))
    for letter, name, title in zip(named, comparison.reports, comparison.titles):
        console.print(f"{letter}  {escape(name)}: {escape(title)}", soft_wrap=True, highlight=False)
    if comparison.notes:
        console.print("\nCannot be compared:")
    for note in comparison.notes:
        console.print(f"  {escape(note)}", soft_wrap=True, highlight=False)
    for title, figures in _tables(comparison):
        table = _table(title)
        for i, letter in enumerate(named):
            table.add_column(letter, justify="right")
            if i:
                table.add_column(f"{letter}/A", justify="right")
        for name, figure in figures:
            cells = [escape(name)]
            for i, (value, ratio) in enumerate(zip(figure.values, figure.ratios)):
                cells.append(_value(value, figure.unit))
                if i:
                    cells.append(NOTHING if ratio is None else f"{ratio:.3f}")
            table.add_row(*cells)
        _show(console, table)
    table = _table("Settings that differ")
    for letter in named:
        table.add_column(letter, justify="right", overflow="fold")
    for row in comparison.differences:
        table.add_row(escape(row.name), *(NOTHING if value is None else escape(str(value)) for value in row.values))
    if comparison.differences:
        _show(console, table)
    else:
        console.print("\nNo setting differs.")


def _tables(comparison: Comparison) -> Iterator[tuple[str, list[tuple[str, Figure]]]]:
    """Titles of tables, with their figures and what these are called there: a table for each plan of attention."""
    for group, title in TITLES.items():
        tables: dict[str, list[tuple[str, Figure]]] = {}
        for figure in comparison.figures:
            if figure.group == group:
                plan, _, name = figure.name.rpartition(PLAN_ENDS) if group == "attention" else ("", "", figure.name)
                tables.setdefault(f"{title}: {plan}" if plan else title, []).append((name, figure))
        yield from tables.items()


def _table(title: str) -> Table:
    table = Table(title=escape(title), title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold")
    return table


def _show(console: Console, table: Table) -> None:
    if table.row_count:
        console.print()
        console.print(table, highlight=False)


def _value(value: Any, unit: str) -> str:
    if value is None:
        return NOTHING
    match unit:
        case "s":
            return seconds_text(value)
        case "B":
            return bytes_text(value)
        case "%":
            return f"{value:.2%}"
        case "x" | "cycles":
            return attention_text(value, unit)
        case _:
            text = f"{value:,}" if isinstance(value, int) or float(value).is_integer() else f"{value:,.4g}"
            text = f"{value:,.1f}" if unit.endswith("/s") else text.removesuffix(".0")
            return f"{text} {unit}".rstrip()

"""Tables and lines on a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rich.console import Console
from rich.table import Table

# Columns that are of figures wherever they are, which stand at the right.
NUMERIC = (
    "cycles", "busy cycles", "count", "share", "busy", "energy", "time", "of the bound", "ratio", "used", "available",
    "LUT", "FF", "DSP", "BRAM36", "URAM", "mean", "p99",
)  # fmt: skip


def print_line(console: Console, text: str) -> None:
    """Print a line that wraps where the terminal does."""
    console.print(text, soft_wrap=True, highlight=False)


def print_rows(console: Console, rows: Iterable[Iterable[str]]) -> None:
    """Print names and values side by side."""
    table = Table.grid(padding=(0, 2))
    for row in rows:
        table.add_row(*row)
    console.print(table, highlight=False)


def print_table(
    console: Console,
    title: str,
    heads: Iterable[str],
    rows: Iterable[Iterable[str]],
    *,
    numeric: Collection[str] = NUMERIC,
) -> None:
    """Print a table; one without rows is left out.

    Parameters
    ----------
    numeric : heads of columns of figures
    """
    names = list(heads)
    table = Table(title=title, title_justify="left", show_header=any(names), box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, justify="right" if name in numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    if table.row_count:
        console.print()
        console.print(table, highlight=False)

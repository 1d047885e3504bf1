"""A progress bar for long work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def progress_bar(unit: str = "tokens") -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr while the block runs; it vanishes at the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("loading the DRAM kernel (compiled once, at the first run)", total=None)

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, description=unit)

        yield update


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Show on stderr what is being done and for how long; it vanishes at the end."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)

        def say(text: str) -> None:
            progress.update(task, description=escape(text))

        yield say

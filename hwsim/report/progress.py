"""A progress bar for long work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(unit: str = "tokens") -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr while the block runs; it vanishes at the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("loading the DRAM kernel (compiled once, at the first run)", total=None)

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, description=unit)

        yield update

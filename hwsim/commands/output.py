"""Where commands put what they found, and how they show that they work."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from hwsim.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

FILE = click.Path(path_type=Path)


class Result(Protocol):
    def to_json(self) -> str: ...


def check_outputs(files: Mapping[str, Path | None], *, sources: Iterable[str | Path | None] = ()) -> None:
    """Check, before any work, that each option's file can be written, and is neither another's nor one that is read.

    Parameters
    ----------
    sources : what is read; names that are no files do not matter
    """
    from hwsim.report.write import check_writable

    read = [Path(source) for source in sources if source is not None and os.path.exists(source)]
    taken: dict[Path, str] = {}
    for option, file in files.items():
        if file is None or (option == "--json" and is_stdout(file)):
            continue
        if is_stdout(file):
            raise UserError(f"{option} -: only --json goes to stdout; name a file")
        other = taken.setdefault(file.resolve(), option)
        if other != option and file.resolve() != Path(os.devnull):
            raise UserError(f"{other} and {option}: both would write {file}")
        if os.path.exists(file) and any(source.samefile(file) for source in read):
            raise UserError(f"{option}: {file} is what is read; it would be overwritten")
        check_writable(file)


def deliver(result: Result, json_file: Path | None) -> bool:
    """Write a result as JSON where that was asked for; return whether stdout is still free for people."""
    from hwsim.report.write import write_text

    if is_stdout(json_file):
        click.echo(result.to_json(), nl=False)
        return False
    if json_file:
        write_text(json_file, result.to_json())
    return True


def is_stdout(file: Path | None) -> bool:
    return str(file) == "-"


def console() -> Console:
    """Tables fit the terminal; in a file or a pipe they get a fixed width."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 140)


def optional_progress(
    *, enabled: bool, unit: str = "tokens"
) -> AbstractContextManager[Callable[[int, int], None] | None]:
    """A progress bar on a terminal, and a line before something is compiled; nothing when piped."""
    if not enabled or not sys.stderr.isatty():
        return nullcontext()
    from hwsim.dram.native.function import announce_compilation
    from hwsim.report.progress import progress_bar

    announce_compilation(lambda: click.echo("compiling, once after each installation: up to a minute", err=True))
    return progress_bar(unit)


def optional_status(*, enabled: bool) -> AbstractContextManager[Callable[[str], None]]:
    """A line on a terminal that says what is being done; nothing when piped."""
    if not enabled or not sys.stderr.isatty():
        return nullcontext(lambda _text: None)
    from hwsim.report.progress import status_line

    return status_line()

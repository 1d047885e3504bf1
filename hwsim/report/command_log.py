"""Logs of DRAM commands as files: what `hwsim.dram.device.log_file` reads back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from hwsim.dram.device.log_file import LOG_COLUMNS
from hwsim.report.write import whole_file


@contextmanager
def text_file(path: Path) -> Iterator[TextIO]:
    """A text file that is whole at the end or not there.

    Raises
    ------
    OutputError : the file cannot be written
    """
    with whole_file(path) as raw, TextIOWrapper(raw, encoding="utf-8") as file:
        yield file


@contextmanager
def command_log(path: Path) -> Iterator[TextIO]:
    """A CSV file for a line a command, with its header; whole at the end or not there.

    Raises
    ------
    OutputError : the file cannot be written
    """
    with text_file(path) as file:
        file.write(",".join(LOG_COLUMNS) + "\n")
        yield file

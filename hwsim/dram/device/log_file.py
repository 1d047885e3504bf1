"""Logs as CSV files: what `--commands` writes and `hwsim check` reads.

A header names the columns, in any order and with others beside them; a line for each command follows, with the channels
mixed in any way. Blanks around a field and empty lines do not count. `LogFormat` reads one line and words every
complaint; `log_scanner.scan` reads whole chunks by the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Standard
from hwsim.errors import DramError
from hwsim.text_chunks import MAX_LINE_BYTES, whole_lines

LOG_COLUMNS = ("cycle", "channel", "command", "bank", "row", "column")
MOST_CHANNELS = 1 << 16
SHORTEST_LINE = len("0,0,A,0,0,0\n")
_BLANKS = " \t\r"
_NUMBER = re.compile(r"-?[0-9]{1,18}")  # fits 64 bits
_NO_COLUMN = -1

Ints = NDArray[np.int64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class LogFormat:
    """Which column of `LOG_COLUMNS` each field of a line holds; `_NO_COLUMN` for a column that we do not know."""

    columns: tuple[int, ...]

    @classmethod
    def of(cls, header: str) -> LogFormat | None:
        """The format that a header states; None if a column is missing or comes twice."""
        names = [name.strip(_BLANKS) for name in header.rstrip("\n").split(",")]
        if sorted(name for name in names if name in LOG_COLUMNS) != sorted(LOG_COLUMNS):
            return None
        return cls(columns=tuple(LOG_COLUMNS.index(name) if name in LOG_COLUMNS else _NO_COLUMN for name in names))

    def parse(self, line: str) -> tuple[int, LoggedCommand] | None:
        """Channel and command of a line; None for an empty one.

        Raises
        ------
        DramError : the line has another form; the message says what was found and expected, not where
        """
        text = line.strip(_BLANKS + "\n")
        if not text:
            return None
        if len(line.rstrip("\n")) > MAX_LINE_BYTES:
            raise DramError(f"longer than {MAX_LINE_BYTES} bytes")
        fields = [field.strip(_BLANKS) for field in line.rstrip("\n").split(",")]
        if len(fields) != len(self.columns):
            raise DramError(_expected(text))
        of = {LOG_COLUMNS[column]: field for column, field in zip(self.columns, fields, strict=True) if column >= 0}
        command = of.pop("command")
        if not command or not all(_NUMBER.fullmatch(field) for field in of.values()):
            raise DramError(_expected(text))
        values = {name: int(field) for name, field in of.items()}
        channel = values.pop("channel")
        if not 0 <= channel < MOST_CHANNELS:
            raise DramError(f"expected a channel of 0 to {MOST_CHANNELS - 1}, found {channel}")
        return channel, LoggedCommand(command=command, **values)


def read_log(path: Path, standard: Standard | None = None) -> dict[int, list[LoggedCommand]]:
    """Logs by channel, all in memory: slow, and the reference for `read_commands`.

    Parameters
    ----------
    standard : whose commands the log may hold, by default any

    Raises
    ------
    DramError : the file is not such a log, or holds a command that the standard does not have
    TraceError : the file cannot be read
    """
    logs: dict[int, list[LoggedCommand]] = {}
    chunks = whole_lines(path)
    form, rest = _header(path, chunks)
    lines = (line for chunk in chain([rest], chunks) for line in chunk.split(b"\n")[:-1])
    for number, line in enumerate(lines, start=2):
        try:
            parsed = form.parse(line.decode("latin-1"))
        except DramError as cause:
            raise DramError(f"{path}: line {number}: {cause}") from None
        if parsed:
            channel, entry = parsed
            if standard and entry.command not in standard.commands:
                raise DramError(_unknown(path, number, entry.command, standard))
            logs.setdefault(channel, []).append(entry)
    return logs


def read_commands(path: Path, standard: Standard, progress: Progress | None = None) -> Iterator[Ints]:
    """Every command of a log, in the order of the file, a chunk at a time; memory does not grow with the file.

    Returns
    -------
    (n, len(LOG_COLUMNS)) arrays in the order of `LOG_COLUMNS`; a command is its number in the standard

    Raises
    ------
    DramError : the file is not such a log, or holds a command that the standard does not have
    TraceError : the file cannot be read
    """
    chunks = whole_lines(path, progress)
    form, rest = _header(path, chunks)
    from hwsim.dram.device.log_scanner import name_automaton, scan  # a file that cannot be read needs no compiler

    columns = np.array(form.columns, dtype=np.int64)
    step, accepted = name_automaton(list(standard.commands))
    number = 2
    for data in chain([rest], chunks):
        out = np.empty((len(data) // SHORTEST_LINE + 1, len(LOG_COLUMNS)), dtype=np.int64)
        count, lines, wrong = scan(np.frombuffer(data, dtype=np.uint8), columns, step, accepted, out)
        if count:
            yield out[:count]
        number += lines
        if wrong:
            _refuse(path, number, standard, form, data.split(b"\n", lines + 1)[lines].decode("latin-1"))


def _header(path: Path, chunks: Iterator[bytes]) -> tuple[LogFormat, bytes]:
    """The format of a log, and what of its first chunk lies after the header."""
    first, _, rest = next(chunks, b"").partition(b"\n")
    header = first.decode("latin-1")
    form = LogFormat.of(header)
    if form is None:
        raise DramError(f"{path}: line 1: {_expected(header)}")
    return form, rest


def _refuse(path: Path, number: int, standard: Standard, form: LogFormat, line: str) -> None:
    """Say what is wrong with a line that the scanner stopped at."""
    try:
        parsed = form.parse(line)
    except DramError as cause:
        raise DramError(f"{path}: line {number}: {cause}") from None
    if parsed is None:
        raise AssertionError(f"the parsers differ about {line!r}")
    raise DramError(_unknown(path, number, parsed[1].command, standard))


def _unknown(path: Path, number: int, command: str, standard: Standard) -> str:
    return f"{path}: line {number}: standard {standard.name} has no command {_shown(command)}"


def _expected(found: str) -> str:
    return f"expected {', '.join(LOG_COLUMNS)}, found {_shown(found)}"


def _shown(text: str) -> str:
    """A piece of a possibly binary file, made fit for a one-line message."""
    return ascii(text if len(text) <= 40 else text[:40] + "...")

"""Logs of DRAM commands: what was issued and when, as single commands or in runs."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import DramError

LOG_COLUMNS = ("cycle", "channel", "command", "bank", "row", "column")  # of a log as a file


@dataclass(frozen=True, kw_only=True)
class LoggedCommand:
    """One issue. `bank`, `row` and `column` are -1 where the command has none.

    Activates and column commands name their row, column commands also their column; all-bank commands name no bank.
    """

    cycle: int
    command: str
    bank: int = -1
    row: int = -1
    column: int = -1

    def __str__(self) -> str:
        return f"{self.cycle} {self.command} {self.bank} {self.row} {self.column}"


@dataclass(frozen=True, kw_only=True, eq=False)
class PlayLog:
    """What the fast player did in one play: runs of equally spaced commands, once for each class of channels.

    Attributes
    ----------
    start, finish : cycles from which the programs ran and in which the last one completed
    entries : (n, len(in_order.ledger.Entry)) runs in the order of their issue within a class
    class_of : (channels,) the class whose entries a channel shares
    """

    start: int
    finish: int
    entries: NDArray[np.int64]
    class_of: NDArray[np.int64]


def parse_line(line: str) -> LoggedCommand:
    """A logged command from its text `cycle command bank row column`.

    Raises
    ------
    DramError : the text has another form
    """
    try:
        cycle, command, bank, row, column = line.split()
        return LoggedCommand(cycle=int(cycle), command=command, bank=int(bank), row=int(row), column=int(column))
    except ValueError:
        raise DramError(f"log line {line.strip()!r}: expected `cycle command bank row column`") from None


def read_log(path: Path) -> dict[int, list[LoggedCommand]]:
    """Logs by channel from the CSV file that `--commands` writes.

    Raises
    ------
    DramError : the file cannot be read or is not such a log
    """
    logs: dict[int, list[LoggedCommand]] = {}
    line = 1
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if not set(LOG_COLUMNS) <= set(rows.fieldnames or ()):
                raise KeyError
            for row in rows:
                line += 1
                logs.setdefault(int(row["channel"]), []).append(
                    LoggedCommand(
                        cycle=int(row["cycle"]),
                        command=row["command"],
                        bank=int(row["bank"]),
                        row=int(row["row"]),
                        column=int(row["column"]),
                    )
                )
    except OSError as cause:
        raise DramError(f"{path}: cannot be read: {cause.strerror or cause}") from None
    except (KeyError, TypeError, ValueError):
        raise DramError(f"{path}: line {line}: expected {', '.join(LOG_COLUMNS)}") from None
    return logs

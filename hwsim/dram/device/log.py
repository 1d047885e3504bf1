"""Logs of DRAM commands: what was issued and when, as single commands or in runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import DramError


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

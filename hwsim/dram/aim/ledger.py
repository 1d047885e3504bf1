"""What the fast player counts and logs: issues and cycles by command, busy and open cycles, runs of commands."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from hwsim.dram.aim.isa import Ints
from hwsim.dram.device.tables import NO_COMMAND

NOT_OPEN = -1
LOG_MARGIN = 16384  # entries; most instructions write fewer


class Total(IntEnum):
    """Columns of `Ledger.totals`."""

    BUSY = 0  # cycles
    BUSY_UNTIL = 1  # busy cycles before this one are counted
    OPEN = 2  # cycles with an open row, without those since OPEN_SINCE
    OPEN_SINCE = 3  # when the first row was opened, or NOT_OPEN
    CHARGED = 4  # cycles up to and in this one are charged to a command
    LAST_COMMAND = 5  # or NO_COMMAND after a barrier


class Ledger(NamedTuple):
    """Counts of classes of channels, each for one channel; the first axis of every array is the class.

    Attributes
    ----------
    totals : (classes, len(Total))
    issues : (classes, commands) how often a command was issued
    cycles : (classes, commands + 1) time charged to each command; the last is that of barriers
    """

    totals: Ints
    issues: Ints
    cycles: Ints


class Entry(IntEnum):
    """Columns of `CommandLog.entries`; -1 where a command has no bank, row or column."""

    MEMBERS = 0
    CYCLE = 1
    COMMAND = 2
    BANK = 3
    ROW = 4
    COLUMN = 5
    COUNT = 6
    SPACING = 7


class CommandLog(NamedTuple):
    """Runs of commands.

    Attributes
    ----------
    entries : (room, len(Entry)); without room nothing is recorded
    written : (1,) how many there are, also those for which there was no room
    """

    entries: Ints
    written: Ints


def new_ledger(classes: int, commands: int) -> Ledger:
    """Nothing counted up to cycle 0."""
    totals = np.zeros((classes, len(Total)), dtype=np.int64)
    totals[:, Total.BUSY_UNTIL] = 1
    totals[:, Total.OPEN_SINCE] = NOT_OPEN
    totals[:, Total.LAST_COMMAND] = NO_COMMAND
    return Ledger(
        totals=totals,
        issues=np.zeros((classes, commands), dtype=np.int64),
        cycles=np.zeros((classes, commands + 1), dtype=np.int64),
    )


def new_log(room: int) -> CommandLog:
    return CommandLog(entries=np.zeros((room, len(Entry)), dtype=np.int64), written=np.zeros(1, dtype=np.int64))


def counters(ledger: Ledger, now: int) -> Ints:
    """The counts after cycle `now`: (classes, n) busy cycles, open cycles, issues by command, cycles by command."""
    since = ledger.totals[:, Total.OPEN_SINCE]
    open_cycles = ledger.totals[:, Total.OPEN] + np.where(since == NOT_OPEN, 0, now + 1 - since)
    return np.column_stack([ledger.totals[:, Total.BUSY], open_cycles, ledger.issues, ledger.cycles])

"""What a play counts and logs."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.tables import Ints
from hwsim.dram.in_order.causes import Cause, Cursor

NOT_NAMED = -1  # the bank, row or column of a command that has none


class Count(IntEnum):
    """What is counted beside the issues of each command.

    `OPEN_CHANNEL` gets +cycle when the last row of a channel closes and -cycle when the first opens; `OPEN_BANKS` does
    so for every row. Adding the current cycle for what is still open gives the time that rows were open.
    """

    ACCESSES = 0  # column accesses; each bank of an all-bank command counts
    HITS = 1  # those whose row was already open
    STEPS = 2  # runs, activates, precharges and refreshes, once for each class of channels
    OPEN_CHANNEL = 3
    OPEN_BANKS = 4


class Entry(IntEnum):
    """Columns of a log, whose rows are runs."""

    CLASS = 0
    CYCLE = 1
    COMMAND = 2
    BANK = 3
    ROW = 4
    COLUMN = 5
    COLUMNS = 6
    POSITION = 7
    ISSUES = 8
    SPACING = 9


class Run(NamedTuple):
    """Issues of one command, `spacing` cycles apart; accesses are from `position` on in repeated sweeps of a row.

    Attributes
    ----------
    bank, row, column : NOT_NAMED where the command has none
    columns : columns of a sweep, the first of which is `column`
    issues : how many
    """

    command: int
    bank: int
    row: int
    column: int
    columns: int
    position: int
    issues: int
    spacing: int


class Page(NamedTuple):
    """What one channel does in one play.

    Attributes
    ----------
    issues : (commands,)
    counts : (len(Count),)
    causes : (len(Cause),) cycles by cause
    cursor : (len(Cursor),) how far the cycles are charged
    log : (room, len(Entry)) of all channels; no room, no log
    logged : (1,) entries that the log should have; those for which there was no room are not kept
    """

    issues: Ints
    counts: Ints
    causes: Ints
    cursor: Ints
    log: Ints
    logged: Ints


class Ledger(NamedTuple):
    """Sums over all plays and channels.

    Attributes
    ----------
    issues : (commands,)
    counts : (len(Count),)
    slowest : (len(Cause),) cycles by cause of the slowest channel of the last play
    page : of the channel that plays
    """

    issues: Ints
    counts: Ints
    slowest: Ints
    page: Page


def new_ledger(commands: int, room: int) -> Ledger:
    """A ledger of a standard with so many commands, with room for so many entries in the log of a play."""

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, dtype=np.int64)

    page = Page(
        issues=zeros(commands),
        counts=zeros(len(Count)),
        causes=zeros(len(Cause)),
        cursor=zeros(len(Cursor)),
        log=zeros(room, len(Entry)),
        logged=zeros(1),
    )
    return Ledger(issues=zeros(commands), counts=zeros(len(Count)), slowest=zeros(len(Cause)), page=page)


@compiled
def begin_page(page, since, cause):
    """Empty a page; cycles are charged from `since` on, the first of them to `cause`."""
    page.issues[:] = 0
    page.counts[:] = 0
    page.causes[:] = 0
    page.cursor[Cursor.CYCLE] = since
    page.cursor[Cursor.OWED] = 0
    page.cursor[Cursor.CAUSE] = cause


@compiled
def add_page(ledger, channels):
    """Add what each of `channels` equal channels did; a step for all of them is one step."""
    page = ledger.page
    steps = ledger.counts[Count.STEPS] + page.counts[Count.STEPS]
    for i in range(ledger.issues.size):
        ledger.issues[i] += page.issues[i] * channels
    for i in range(ledger.counts.size):
        ledger.counts[i] += page.counts[i] * channels
    ledger.counts[Count.STEPS] = steps


@inlined
def keep_slowest(ledger):
    """The channel of the page finished last so far."""
    for cause in range(ledger.slowest.size):
        ledger.slowest[cause] = ledger.page.causes[cause]


@inlined
def log_run(page, channel, cycle, run):
    """Enter a run whose first issue is in `cycle`."""
    place = page.logged[0]
    page.logged[0] = place + 1
    if place >= page.log.shape[0]:
        return
    entry = page.log[place]
    entry[Entry.CLASS] = channel
    entry[Entry.CYCLE] = cycle
    entry[Entry.COMMAND] = run.command
    entry[Entry.BANK] = run.bank
    entry[Entry.ROW] = run.row
    entry[Entry.COLUMN] = run.column
    entry[Entry.COLUMNS] = run.columns
    entry[Entry.POSITION] = run.position
    entry[Entry.ISSUES] = run.issues
    entry[Entry.SPACING] = run.spacing

"""The rules of `checker.py`, compiled: finds the first command of each channel that breaks one, not which it breaks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.check_tables import NO_LIMIT, CheckTables, Fact, Kind, Mode, Past, Wait
from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.log_file import LOG_COLUMNS

Ints = NDArray[np.int64]
CYCLE, CHANNEL, COMMAND, BANK, ROW, COLUMN = range(len(LOG_COLUMNS))
NEVER = -(1 << 60)
CLOSED = -1
NO_SLOT = -1


class CheckState(NamedTuple):
    """What the rules need of the past; the first axis is a slot for each channel that the log has named so far.

    Attributes
    ----------
    open_rows : (slots, banks) the open row, or CLOSED
    history : (slots, places) the last issues as `Kept` says, newest first in each node
    last_cycle : (slots,) of the last command
    register_mode : (slots,) whether the channel is in it
    commands : (slots,) how many a channel has in the log
    legal : (slots,) how many of them came before the first that breaks a rule
    broken : (slots, len(LOG_COLUMNS)) that one; COMMAND is below 0 as long as there is none
    """

    open_rows: Ints
    history: Ints
    last_cycle: Ints
    register_mode: Ints
    commands: Ints
    legal: Ints
    broken: Ints


def new_state(tables: CheckTables, slots: int) -> CheckState:
    """Idle channels with all banks closed."""
    return CheckState(
        open_rows=np.full((slots, tables.covered.shape[1]), CLOSED, dtype=np.int64),
        history=np.full((slots, tables.history), NEVER, dtype=np.int64),
        last_cycle=np.full(slots, NEVER, dtype=np.int64),
        register_mode=np.zeros(slots, dtype=np.int64),
        commands=np.zeros(slots, dtype=np.int64),
        legal=np.zeros(slots, dtype=np.int64),
        broken=np.full((slots, len(LOG_COLUMNS)), -1, dtype=np.int64),
    )


@compiled
def check(s, t, slot_of, rows, begin):
    """Check the rows of a log from `begin` on; returns where it stopped, before the end at a channel without a slot.

    Parameters
    ----------
    s, t : `CheckState`, `CheckTables`
    slot_of : the slot of each channel, or NO_SLOT
    rows : (n, len(LOG_COLUMNS)) as `log_file.read_commands` gives them
    """
    for i in range(begin, rows.shape[0]):
        c = slot_of[rows[i, CHANNEL]]
        if c == NO_SLOT:
            return i
        s.commands[c] += 1
        if s.broken[c, COMMAND] >= 0:
            continue
        cycle, command, bank = rows[i, CYCLE], rows[i, COMMAND], rows[i, BANK]
        if (
            cycle > s.last_cycle[c]
            and _has_address(t, command, bank, rows[i, ROW], rows[i, COLUMN])
            and _has_state(s, t, c, command, max(bank, 0), rows[i, ROW])
            and _has_waited(s, t, c, command, max(bank, 0), cycle)
        ):
            _enter(s, t, c, command, max(bank, 0), rows[i, ROW], cycle)
            s.legal[c] += 1
        else:
            for k in range(rows.shape[1]):
                s.broken[c, k] = rows[i, k]
    return rows.shape[0]


@inlined
def _has_address(t, command, bank, row, column):
    banks = t.covered.shape[1]
    if t.commands[command, Fact.NAMES_BANK]:
        if bank < 0 or bank >= banks:
            return False
    elif bank != -1:
        return False
    rows, columns = t.commands[command, Fact.ROWS], t.commands[command, Fact.COLUMNS]
    return (rows == NO_LIMIT or 0 <= row < rows) and (columns == NO_LIMIT or 0 <= column < columns)


@inlined
def _has_state(s, t, c, command, bank, row):
    """Whether the channel's mode and its open rows allow a command."""
    mode = t.commands[command, Fact.MODE]
    if mode != Mode.ANY and (mode == Mode.REGISTER) != (s.register_mode[c] != 0):
        return False
    kind = t.commands[command, Fact.KIND]
    if kind == Kind.OTHER:
        return True
    start, stop, step = t.covered[command, bank]
    closed, same, covered = 0, 0, 0
    for b in range(start, stop, step):
        closed += s.open_rows[c, b] == CLOSED
        same += s.open_rows[c, b] == row
        covered += 1
    if kind == Kind.COLUMN:
        return same == covered
    if kind == Kind.ACTIVATE:  # one for several banks may find its row open in some of them, but not in all
        return closed > 0 and closed + same == covered
    return closed == covered


@inlined
def _has_waited(s, t, c, command, bank, cycle):
    """Whether every constraint of the table allows a command in this cycle."""
    start, stop, step = _named(t, command, bank)
    for k in range(t.commands[command, Fact.FIRST_WAIT], t.commands[command, Fact.LAST_WAIT]):
        place, depth, banks = t.waits[k, Wait.PLACE], t.waits[k, Wait.DEPTH], t.waits[k, Wait.BANKS]
        window, latest = t.waits[k, Wait.WINDOW], cycle - t.waits[k, Wait.LATENCY]
        if t.waits[k, Wait.SIBLINGS]:
            for node in range(t.waits[k, Wait.NODES]):
                if s.history[c, place + node * depth + window - 1] > latest and not _holds(
                    node, banks, start, stop, step
                ):
                    return False
            continue
        for b in range(start, stop, step):
            if s.history[c, place + b // banks * depth + window - 1] > latest:
                return False
    return True


@inlined
def _enter(s, t, c, command, bank, row, cycle):
    """Record a legal command."""
    start, stop, step = _named(t, command, bank)
    for k in range(t.commands[command, Fact.FIRST_PAST], t.commands[command, Fact.LAST_PAST]):
        place, depth, banks = t.pasts[k, Past.PLACE], t.pasts[k, Past.DEPTH], t.pasts[k, Past.BANKS]
        before = -1
        for b in range(start, stop, step):
            node = b // banks
            if node != before:  # an issue counts once in a node, even with several of its banks
                newest = place + node * depth
                for i in range(newest + depth - 1, newest, -1):
                    s.history[c, i] = s.history[c, i - 1]
                s.history[c, newest] = cycle
            before = node
    s.last_cycle[c] = cycle
    opens = t.commands[command, Fact.KIND] == Kind.ACTIVATE
    if opens or t.commands[command, Fact.CLOSES]:
        start, stop, step = t.covered[command, bank]
        for b in range(start, stop, step):
            s.open_rows[c, b] = row if opens else CLOSED
    if t.commands[command, Fact.SWITCHES_MODE]:
        s.register_mode[c] = 1 - s.register_mode[c]


@inlined
def _named(t, command, bank):
    """Banks whose nodes an issue addresses: the one that it names, or all that it works on if it skips banks."""
    if t.commands[command, Fact.STRIDED]:
        return t.covered[command, bank, 0], t.covered[command, bank, 1], t.covered[command, bank, 2]
    return bank, bank + 1, 1


@inlined
def _holds(node, banks, start, stop, step):
    """Whether one of some banks lies in a node."""
    inside = False
    for b in range(start, stop, step):
        inside |= b // banks == node
    return inside

"""Entries in the ledger and the log, compiled."""

from __future__ import annotations

from hwsim.dram.aim.ledger import NOT_OPEN, Entry, Total
from hwsim.dram.device.compiled import inlined
from hwsim.dram.device.tables import Fact, Kind


@inlined
def charge(ledger, t, c, command, cycle, last, count):
    """Enter issues of a command from `cycle` to `last`, and the time since the command before.

    That time is charged to the command, unless the one before was issued to prepare it and so made it wait.
    """
    ledger.issues[c, command] += count
    before = ledger.totals[c, Total.LAST_COMMAND]
    charged = command
    if before >= 0 and _prepares(t, before):
        charged = before
    ledger.cycles[c, charged] += cycle - ledger.totals[c, Total.CHARGED]
    ledger.cycles[c, command] += last - cycle
    ledger.totals[c, Total.CHARGED] = last
    ledger.totals[c, Total.LAST_COMMAND] = command


@inlined
def _prepares(t, command):
    """Whether a command only makes others possible: it opens, closes or refreshes rows, or switches the mode."""
    kind = t.device.commands[command, Fact.KIND]
    return kind not in (Kind.COLUMN, Kind.REGISTER)


@inlined
def charge_barrier(ledger, c, now):
    """Charge the time up to a barrier's answer to it."""
    ledger.cycles[c, ledger.cycles.shape[1] - 1] += now - ledger.totals[c, Total.CHARGED]
    ledger.totals[c, Total.CHARGED] = now
    ledger.totals[c, Total.LAST_COMMAND] = -1


@inlined
def begin_busy(ledger, c, cycle):
    """A request arrives. From then on `end_busy` adds the time."""
    if cycle >= ledger.totals[c, Total.BUSY_UNTIL]:
        ledger.totals[c, Total.BUSY] += 1
        ledger.totals[c, Total.BUSY_UNTIL] = cycle + 1


@inlined
def end_busy(ledger, c, end):
    """A request is complete in cycle `end`."""
    if end > ledger.totals[c, Total.BUSY_UNTIL]:
        ledger.totals[c, Total.BUSY] += end - ledger.totals[c, Total.BUSY_UNTIL]
        ledger.totals[c, Total.BUSY_UNTIL] = end


@inlined
def note_open(ledger, c, any_open, cycle):
    """Rows were opened or closed; enter when the first was opened, or for how long there were any."""
    since = ledger.totals[c, Total.OPEN_SINCE]
    if any_open and since == NOT_OPEN:
        ledger.totals[c, Total.OPEN_SINCE] = cycle
    elif not any_open and since != NOT_OPEN:
        ledger.totals[c, Total.OPEN] += cycle - since
        ledger.totals[c, Total.OPEN_SINCE] = NOT_OPEN


@inlined
def write_log(log, t, members, command, bank, row, column, cycle, count, spacing):
    """Write a run of commands, if there is a log and room in it."""
    if log.entries.shape[0] == 0:
        return
    place = log.written[0]
    log.written[0] += 1
    if place >= log.entries.shape[0]:
        return
    kind = t.device.commands[command, Fact.KIND]
    names_row = kind in (Kind.ACTIVATE, Kind.COLUMN)
    everywhere = t.device.commands[command, Fact.BLOCK] == t.device.nodes.shape[1]
    log.entries[place, Entry.MEMBERS] = members
    log.entries[place, Entry.CYCLE] = cycle
    log.entries[place, Entry.COMMAND] = command
    log.entries[place, Entry.BANK] = -1 if everywhere else bank
    log.entries[place, Entry.ROW] = row if names_row else -1
    log.entries[place, Entry.COLUMN] = column if kind == Kind.COLUMN else -1
    log.entries[place, Entry.COUNT] = count
    log.entries[place, Entry.SPACING] = spacing

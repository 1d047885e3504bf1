"""Issuing commands: what both in-order players do once the cycle of a command is known."""

from __future__ import annotations

from hwsim.dram.device.bank_state import earliest, note, opens, set_rows
from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.state import CLOSED
from hwsim.dram.device.tables import Fact, Kind
from hwsim.dram.in_order.causes import Cause, charge_run, charge_wait
from hwsim.dram.in_order.ledger import NOT_NAMED, Count, Run, log_run


@compiled
def issue_run(s, r, c, bank, cycle, run, opened, page):
    """Issue a run from `cycle` on; return the cycle in which its last access completes."""
    facts = r.tables.commands[run.command]
    final = cycle + (run.issues - 1) * run.spacing
    charge_run(page.causes, page.cursor, final, run.spacing, r.cause[run.command])
    note(s.banks, r.tables, c, run.command, bank, final)
    if facts[Fact.AUTO]:
        move_rows(s, r, c, run.command, bank, CLOSED, final, page)
    page.issues[run.command] += run.issues
    page.counts[Count.STEPS] += 1
    if facts[Fact.KIND] == Kind.COLUMN:
        page.counts[Count.ACCESSES] += run.issues * facts[Fact.BLOCK]
        page.counts[Count.HITS] += (run.issues - opened) * facts[Fact.BLOCK]
    log_run(page, c, cycle, run)
    return final + facts[Fact.DURATION]


@compiled
def refresh_all(s, r, c, page):
    """Close all banks and refresh, as soon as a refresh is due."""
    if s.banks.open_banks[c] > 0:
        _maintain(s, r, c, r.refresh_precharge, page)
    _maintain(s, r, c, r.refresh, page)
    s.due[c] += r.interval


@compiled
def _maintain(s, r, c, command, page):
    cycle = max(s.due[c], earliest(s.banks, r.tables, c, command, 0))
    charge_wait(page.causes, page.cursor, cycle, Cause.REFRESH)
    open_or_close(s, r, c, command, 0, CLOSED, cycle, page)


@inlined
def open_or_close(s, r, c, command, bank, row, cycle, page):
    """Issue the activate or precharge that an access to `row` needs first, or a command for all closed banks."""
    note(s.banks, r.tables, c, command, bank, cycle)
    row = row if opens(r.tables, command) else CLOSED
    move_rows(s, r, c, command, bank, row, cycle, page)
    page.issues[command] += 1
    page.counts[Count.STEPS] += 1
    log_run(page, c, cycle, Run(command, name_bank(s, r, command, bank), row, NOT_NAMED, 1, 0, 1, 1))


@inlined
def move_rows(s, r, c, command, bank, row, cycle, page):
    """Open `row` or close rows at a cycle, and count how long they are open."""
    before = s.banks.open_banks[c]
    set_rows(s.banks, r.tables, c, command, bank, row)
    after = s.banks.open_banks[c]
    page.counts[Count.OPEN_BANKS] += (before - after) * cycle
    page.counts[Count.OPEN_CHANNEL] += ((before > 0) - (after > 0)) * cycle


@inlined
def name_bank(s, r, command, bank):
    """The bank as a log names it: a command for all banks names none."""
    return bank if r.tables.commands[command, Fact.BLOCK] < s.banks.open_rows.shape[1] else NOT_NAMED

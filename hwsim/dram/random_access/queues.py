"""Queues of accesses, compiled: each entry stands in its queue by age and in its bank by age."""

from __future__ import annotations

from hwsim.dram.device.compiled import inlined
from hwsim.dram.random_access.fields import NOBODY, Asking, Bank, Channel, Entry, Host, Waiting


@inlined
def holds_block(m, c, q, bank, block):
    """Whether an entry of a queue waits for a place."""
    found = False
    e = m.waiting[c, q, bank, Waiting.FIRST]
    while e >= 0:
        if m.entries[c, e, Entry.BLOCK] == block:
            found = True
            break
        e = m.entries[c, e, Entry.NEXT]
    return found


@inlined
def append(m, c, q, master, ticket, arrival, cycle):
    """Put the first access of a master, whose place is known, at the end of a queue; return the entry."""
    e = m.channels[c, Channel.FREE]
    m.channels[c, Channel.FREE] = m.entries[c, e, Entry.NEXT]
    bank, row = m.masters[master, Asking.BANK], m.masters[master, Asking.ROW]
    m.entries[c, e, Entry.WRITE] = q
    m.entries[c, e, Entry.BANK] = bank
    m.entries[c, e, Entry.ROW] = row
    m.entries[c, e, Entry.COLUMN] = m.masters[master, Asking.COLUMN]
    m.entries[c, e, Entry.BLOCK] = m.masters[master, Asking.BLOCK]
    m.entries[c, e, Entry.AGE] = m.host[Host.TAKEN]
    m.entries[c, e, Entry.TAKEN] = cycle
    m.entries[c, e, Entry.ARRIVAL] = arrival
    m.entries[c, e, Entry.KIND] = 0
    m.entries[c, e, Entry.OPENED] = 0
    m.entries[c, e, Entry.MASTER] = master
    m.entries[c, e, Entry.TICKET] = ticket
    m.entries[c, e, Entry.INDEX] = m.masters[master, Asking.TAKEN]
    m.host[Host.TAKEN] += 1
    _append_by_age(m, c, q, e)
    _append_to_bank(m, c, q, bank, row, e)
    return e


@inlined
def _append_by_age(m, c, q, e):
    newest = m.channels[c, Channel.NEWEST + q]
    m.entries[c, e, Entry.OLDER] = newest
    m.entries[c, e, Entry.YOUNGER] = NOBODY
    if newest >= 0:
        m.entries[c, newest, Entry.YOUNGER] = e
    else:
        m.channels[c, Channel.OLDEST + q] = e
    m.channels[c, Channel.NEWEST + q] = e
    m.channels[c, Channel.LENGTH + q] += 1


@inlined
def _append_to_bank(m, c, q, bank, row, e):
    last = m.waiting[c, q, bank, Waiting.LAST]
    m.entries[c, e, Entry.BEFORE] = last
    m.entries[c, e, Entry.NEXT] = NOBODY
    if last >= 0:
        m.entries[c, last, Entry.NEXT] = e
    else:
        m.waiting[c, q, bank, Waiting.FIRST] = e
        listed = m.channels[c, Channel.BANKS + q]
        m.listed[c, q, listed] = bank
        m.waiting[c, q, bank, Waiting.PLACE] = listed
        m.channels[c, Channel.BANKS + q] = listed + 1
        m.waiting[c, q, bank, Waiting.READY] = 0
    m.waiting[c, q, bank, Waiting.LAST] = e
    m.waiting[c, q, bank, Waiting.COUNT] += 1
    if m.waiting[c, q, bank, Waiting.HIT] < 0 and m.device.open_rows[c, bank] == row:
        m.waiting[c, q, bank, Waiting.HIT] = e
        m.waiting[c, q, bank, Waiting.READY] = 0


@inlined
def remove(m, c, q, e):
    """Take an entry out of its queue; its fields stay readable until another entry is appended."""
    older, younger = m.entries[c, e, Entry.OLDER], m.entries[c, e, Entry.YOUNGER]
    if older >= 0:
        m.entries[c, older, Entry.YOUNGER] = younger
    else:
        m.channels[c, Channel.OLDEST + q] = younger
    if younger >= 0:
        m.entries[c, younger, Entry.OLDER] = older
    else:
        m.channels[c, Channel.NEWEST + q] = older
    m.channels[c, Channel.LENGTH + q] -= 1
    _remove_from_bank(m, c, q, m.entries[c, e, Entry.BANK], e)
    m.entries[c, e, Entry.NEXT] = m.channels[c, Channel.FREE]
    m.channels[c, Channel.FREE] = e


@inlined
def _remove_from_bank(m, c, q, bank, e):
    before, after = m.entries[c, e, Entry.BEFORE], m.entries[c, e, Entry.NEXT]
    m.waiting[c, q, bank, Waiting.READY] = 0
    if m.waiting[c, q, bank, Waiting.HIT] == e:
        m.waiting[c, q, bank, Waiting.HIT] = next_of_row(m, c, after, m.entries[c, e, Entry.ROW])
    if before >= 0:
        m.entries[c, before, Entry.NEXT] = after
    else:
        m.waiting[c, q, bank, Waiting.FIRST] = after
    if after >= 0:
        m.entries[c, after, Entry.BEFORE] = before
    else:
        m.waiting[c, q, bank, Waiting.LAST] = before
    m.waiting[c, q, bank, Waiting.COUNT] -= 1
    if m.waiting[c, q, bank, Waiting.COUNT] == 0:
        last = m.channels[c, Channel.BANKS + q] - 1
        place = m.waiting[c, q, bank, Waiting.PLACE]
        moved = m.listed[c, q, last]
        m.listed[c, q, place] = moved
        m.waiting[c, q, moved, Waiting.PLACE] = place
        m.channels[c, Channel.BANKS + q] = last


@inlined
def next_of_row(m, c, e, row):
    """The first entry of a row in a bank, from an entry on."""
    while e >= 0 and m.entries[c, e, Entry.ROW] != row:
        e = m.entries[c, e, Entry.NEXT]
    return e


@inlined
def find_hits(m, c, bank, row):
    """A row was opened: the oldest entries for it."""
    for q in range(2):
        m.waiting[c, q, bank, Waiting.HIT] = next_of_row(m, c, m.waiting[c, q, bank, Waiting.FIRST], row)
        m.waiting[c, q, bank, Waiting.READY] = 0


@inlined
def forget_hits(m, c, bank):
    """A row was closed: no entry finds it open, nor was it opened for any."""
    for q in range(2):
        m.waiting[c, q, bank, Waiting.HIT] = NOBODY
        m.waiting[c, q, bank, Waiting.READY] = 0
    e = m.banks[c, bank, Bank.OPENED]
    if e >= 0:
        forget_opened(m, c, e)


@inlined
def mark_opened(m, c, e):
    """A row was opened for an entry."""
    m.entries[c, e, Entry.OPENED] = 1
    m.entries[c, e, Entry.READY] = 0
    m.banks[c, m.entries[c, e, Entry.BANK], Bank.OPENED] = e
    m.opened[c, m.channels[c, Channel.OPENED]] = e
    m.channels[c, Channel.OPENED] += 1


@inlined
def forget_opened(m, c, e):
    m.entries[c, e, Entry.OPENED] = 0
    bank = m.entries[c, e, Entry.BANK]
    m.banks[c, bank, Bank.OPENED] = NOBODY
    m.waiting[c, 0, bank, Waiting.READY] = m.waiting[c, 1, bank, Waiting.READY] = 0
    last = m.channels[c, Channel.OPENED] - 1
    place = last
    while m.opened[c, place] != e:
        place -= 1
    m.opened[c, place] = m.opened[c, last]
    m.channels[c, Channel.OPENED] = last

"""The controller of a channel, compiled: one cycle, what an access does when it is issued, and its completion."""

from __future__ import annotations

from hwsim.dram.device.bank_state import note
from hwsim.dram.device.compiled import inlined
from hwsim.dram.device.tables import FOREVER, Fact
from hwsim.dram.random_access.choose import choose, take_turns
from hwsim.dram.random_access.fields import (
    ACTIVATE,
    LATENCY_BINS,
    PRECHARGE,
    Asking,
    Bank,
    Channel,
    Entry,
    Host,
    Ticket,
)
from hwsim.dram.random_access.queues import forget_opened, remove
from hwsim.dram.random_access.refresh import refresh
from hwsim.dram.random_access.rows import banks_per_rank, close_row, log_command, open_row


@inlined
def step(m, c, cycle, log, record):
    """One cycle of a channel; sets when it wakes next and returns whether it served an access."""
    m.host[Host.STEPS] += 1
    wake = FOREVER
    if cycle >= m.channels[c, Channel.NEXT_DUE] or m.channels[c, Channel.REFRESHING] > 0:
        wake = refresh(m, c, cycle, log, record)
        if wake == cycle:
            m.channels[c, Channel.WAKE] = cycle + 1
            return False
    take_turns(m, c)
    e, command, soonest = choose(m, c, cycle)
    if e < 0:
        m.channels[c, Channel.WAKE] = min(wake, soonest, m.channels[c, Channel.NEXT_DUE])
        return False
    m.channels[c, Channel.WAKE] = cycle + 1
    bank = m.entries[c, e, Entry.BANK]
    _issue(m, c, command, bank, cycle)
    if command == m.commands[PRECHARGE]:
        m.entries[c, e, Entry.KIND] = 2
        close_row(m, c, bank, cycle)
        if record:
            log_command(m, log, c, cycle, command, bank, -1, -1)
        return False
    if command == m.commands[ACTIVATE]:
        open_row(m, c, bank, e, cycle)
        if record:
            log_command(m, log, c, cycle, command, bank, m.entries[c, e, Entry.ROW], -1)
        return False
    if record:
        log_command(m, log, c, cycle, command, bank, m.entries[c, e, Entry.ROW], m.entries[c, e, Entry.COLUMN])
    _serve(m, c, e, command, cycle)
    return True


@inlined
def _issue(m, c, command, bank, cycle):
    note(m.device, m.tables, c, command, bank, cycle)
    m.counts[c, bank // banks_per_rank(m), command] += 1


@inlined
def _serve(m, c, e, command, cycle):
    """An access was issued: it leaves its queue, and its completion is known."""
    q, bank = m.entries[c, e, Entry.WRITE], m.entries[c, e, Entry.BANK]
    end = cycle + m.tables.commands[command, Fact.DURATION]
    note_latency(m, q, end - m.entries[c, e, Entry.TAKEN])
    if m.entries[c, e, Entry.ARRIVAL] >= 0:
        note_latency(m, q + 2, end - m.entries[c, e, Entry.ARRIVAL])
    m.channels[c, Channel.KINDS + m.entries[c, e, Entry.KIND]] += 1
    if q == m.channels[c, Channel.WRITING]:
        m.channels[c, Channel.SERVED] += 1
    if m.channels[c, Channel.OLDEST + q] == e:
        m.channels[c, Channel.BYPASSED + q] = 0
    else:
        m.channels[c, Channel.BYPASSED + q] += 1
    m.banks[c, bank, Bank.ACCESSES] += 1
    m.banks[c, bank, Bank.USED] += 1
    if m.entries[c, e, Entry.OPENED]:
        forget_opened(m, c, e)
    remove(m, c, q, e)
    if m.tables.commands[command, Fact.AUTO]:
        close_row(m, c, bank, max(cycle + m.closing[1 + q], m.banks[c, bank, Bank.OPENED_AT] + m.closing[0]))
    complete(m, m.entries[c, e, Entry.MASTER], m.entries[c, e, Entry.TICKET], end)


@inlined
def note_latency(m, kind, cycles):
    if cycles < LATENCY_BINS:
        m.latencies[kind, cycles] += 1
        recent = m.host[Host.RECENT]
        if recent < m.recent.shape[0]:
            m.recent[recent, 0] = kind
            m.recent[recent, 1] = cycles
            m.host[Host.RECENT] = recent + 1
    else:
        row = m.host[Host.LONG]
        m.long_latencies[row, 0] = kind
        m.long_latencies[row, 1] = cycles
        m.host[Host.LONG] = row + 1


@inlined
def complete(m, master, ticket, end):
    """An access will be complete at a cycle: its limit is released then, and its ticket may be complete."""
    m.host[Host.FINISH] = max(m.host[Host.FINISH], end)
    if m.masters[master, Asking.OUTSTANDING] < FOREVER:
        place = m.host[Host.RELEASES]
        while place > 0 and m.releases[place - 1, 0] < end:
            m.releases[place, 0] = m.releases[place - 1, 0]
            m.releases[place, 1] = m.releases[place - 1, 1]
            place -= 1
        m.releases[place, 0] = end
        m.releases[place, 1] = master
        m.host[Host.RELEASES] += 1
    if ticket >= 0:
        m.tickets[ticket, Ticket.REMAINING] -= 1
        m.tickets[ticket, Ticket.FINISH] = max(m.tickets[ticket, Ticket.FINISH], end)
        if m.tickets[ticket, Ticket.REMAINING] == 0:
            row = m.host[Host.COMPLETED]
            m.completions[row, 0] = m.tickets[ticket, Ticket.FINISH]
            m.completions[row, 1] = m.tickets[ticket, Ticket.TICKET]
            m.completions[row, 2] = m.tickets[ticket, Ticket.BEAT]
            m.host[Host.COMPLETED] = row + 1
            m.free_tickets[m.host[Host.FREE_TICKETS]] = ticket
            m.host[Host.FREE_TICKETS] += 1

"""The port, compiled: which accesses of which masters are taken in a cycle, and their places in the memory."""

from __future__ import annotations

from hwsim.dram.device.compiled import inlined
from hwsim.dram.device.tables import FOREVER
from hwsim.dram.random_access.address import DigitColumn
from hwsim.dram.random_access.choose import first_chance
from hwsim.dram.random_access.digits import Part
from hwsim.dram.random_access.fields import (
    DIGIT_SHIFT,
    NOBODY,
    Arbitration,
    Asking,
    Channel,
    Host,
    Limit,
    RunField,
    Ticket,
)
from hwsim.dram.random_access.queues import append, holds_block
from hwsim.dram.random_access.scheduler import complete, note_latency

NEEDS_MORE = -1


@inlined
def take(m, cycle, feeding):
    """Take accesses of a cycle; return when an access could be taken next if no channel served one.

    With `feeding`, the first master's runs come in parts: NEEDS_MORE if its next run decides about this cycle.
    """
    if not m.host[Host.TAKING]:
        _begin(m, cycle)
    later = FOREVER
    while True:
        if feeding and m.masters[0, Asking.RUNS] == 0:
            later = NEEDS_MORE
            break
        if m.host[Host.TAKEN_NOW] == m.limits[Limit.WIDTH]:
            later = cycle + 1
            break
        master, later = _next_master(m, cycle)
        if master < 0:
            break
        _take_access(m, master, cycle)
    return later


@inlined
def end_of_taking(m, cycle):
    """All accesses of a cycle were taken."""
    m.host[Host.TAKING] = 0
    if m.host[Host.TAKEN_NOW] > 0:
        for master in range(m.masters.shape[0]):
            if m.masters[master, Asking.TAKEN_NOW] > 0:
                m.masters[master, Asking.NEXT_OFFER] = cycle + m.masters[master, Asking.EVERY]
                m.masters[master, Asking.TAKEN_NOW] = 0
        m.host[Host.TAKEN_NOW] = 0


@inlined
def _begin(m, cycle):
    """Complete accesses no longer count against the limits of their masters."""
    m.host[Host.TAKING] = 1
    while m.host[Host.RELEASES] > 0 and m.releases[m.host[Host.RELEASES] - 1, 0] <= cycle:
        m.host[Host.RELEASES] -= 1
        m.masters[m.releases[m.host[Host.RELEASES], 1], Asking.UNDER_WAY] -= 1


@inlined
def _next_master(m, cycle):
    """The master whose access is taken, by the policy, or NOBODY and when one could be taken."""
    chosen, since, later = NOBODY, FOREVER, FOREVER
    policy, last = m.limits[Limit.ARBITRATION], m.host[Host.LAST]
    for i in range(m.masters.shape[0]):
        master = i
        if policy == Arbitration.ROUND_ROBIN:
            master = (last + 1 + i) % m.masters.shape[0]
        if m.masters[master, Asking.RUNS] == 0:
            continue
        when = _may_ask(m, master, cycle)
        if when > cycle:
            later = min(later, when)
            continue
        if not _room(m, master):
            continue
        if policy != Arbitration.OLDEST:
            chosen = master
            break
        arrival = m.runs[master, m.masters[master, Asking.HEAD], RunField.ARRIVAL]
        asked = max(m.masters[master, Asking.SINCE], arrival)
        if asked < since:
            chosen, since = master, asked
    return chosen, later


@inlined
def _may_ask(m, master, cycle):
    """The cycle, or when a master may ask for its first access."""
    arrival = m.runs[master, m.masters[master, Asking.HEAD], RunField.ARRIVAL]
    if arrival > cycle:
        return arrival
    taken = m.masters[master, Asking.TAKEN_NOW]
    if taken == 0:
        if m.masters[master, Asking.NEXT_OFFER] > cycle:
            return m.masters[master, Asking.NEXT_OFFER]
    elif taken >= m.masters[master, Asking.WIDTH]:
        return cycle + m.masters[master, Asking.EVERY]
    if m.masters[master, Asking.UNDER_WAY] >= m.masters[master, Asking.OUTSTANDING]:
        return FOREVER  # the next release is known where the cycle ends
    return cycle


@inlined
def _room(m, master):
    """Whether the first access of a master could be taken by its channel."""
    if not m.masters[master, Asking.KNOWN]:
        _locate(m, master)
    c, bank, block = m.masters[master, Asking.CHANNEL], m.masters[master, Asking.BANK], m.masters[master, Asking.BLOCK]
    write = m.runs[master, m.masters[master, Asking.HEAD], RunField.WRITE]
    if write and holds_block(m, c, 0, bank, block):
        return False  # the older read must see the old value
    if m.channels[c, Channel.LENGTH + write] < m.limits[Limit.READ_QUEUE + write]:
        return True
    return holds_block(m, c, 1, bank, block)


@inlined
def _locate(m, master):
    """Find the place of the first access of a master."""
    head = m.masters[master, Asking.HEAD]
    size = m.limits[Limit.COLUMN_BYTES]
    address = (
        m.runs[master, head, RunField.ADDRESS] + m.masters[master, Asking.BEAT] * m.runs[master, head, RunField.STRIDE]
    )
    first = address // size
    block = first + m.masters[master, Asking.PART]
    last = (address + m.runs[master, head, RunField.SIZE] - 1) // size
    m.masters[master, Asking.PARTS] = last - first + 1
    m.masters[master, Asking.BLOCK] = block
    c, bank, row, column = place_of(m.digits, block)
    m.masters[master, Asking.CHANNEL], m.masters[master, Asking.BANK] = c, bank
    m.masters[master, Asking.ROW], m.masters[master, Asking.COLUMN] = row, column
    m.masters[master, Asking.KNOWN] = 1


@inlined
def place_of(digits, block):
    """Channel, bank, row and column of an access, by the mapping's digits."""
    channel, bank, row, column = 0, 0, 0, 0
    xored = False
    rest = block
    for i in range(digits.shape[0]):
        shift = digits[i, DIGIT_SHIFT]
        if shift >= 0:
            value = rest & (digits[i, DigitColumn.SIZE] - 1)
            rest >>= shift
        else:
            value = rest % digits[i, DigitColumn.SIZE]
            rest //= digits[i, DigitColumn.SIZE]
        xored |= digits[i, DigitColumn.XOR_SHIFT] >= 0
        part = digits[i, DigitColumn.PART]
        if part == Part.CHANNEL:
            channel += value * digits[i, DigitColumn.WEIGHT]
        elif part == Part.BANK:
            bank += value * digits[i, DigitColumn.WEIGHT]
        elif part == Part.ROW:
            row += value * digits[i, DigitColumn.WEIGHT]
        else:
            column += value * digits[i, DigitColumn.WEIGHT]
    if xored:
        channel, bank, column = _xored(digits, channel, bank, row, column)
    return channel, bank, row, column


@inlined
def _xored(digits, channel, bank, row, column):
    """Parts of an address with some of their digits xored with bits of the row."""
    for i in range(digits.shape[0]):
        if digits[i, DigitColumn.XOR_SHIFT] < 0:
            continue
        weight, mask = digits[i, DigitColumn.WEIGHT], digits[i, DigitColumn.SIZE] - 1
        bits = (row >> digits[i, DigitColumn.XOR_SHIFT]) & mask
        part = digits[i, DigitColumn.PART]
        old = channel if part == Part.CHANNEL else bank if part == Part.BANK else column
        digit = old // weight % (mask + 1)
        change = ((digit ^ bits) - digit) * weight
        if part == Part.CHANNEL:
            channel += change
        elif part == Part.BANK:
            bank += change
        else:
            column += change
    return channel, bank, column


@inlined
def _take_access(m, master, cycle):
    """Hand the first access of a master to its channel, or answer it from a waiting write."""
    head = m.masters[master, Asking.HEAD]
    write = m.runs[master, head, RunField.WRITE]
    ticket = _ticket(m, master, head)
    c, bank, block = m.masters[master, Asking.CHANNEL], m.masters[master, Asking.BANK], m.masters[master, Asking.BLOCK]
    arrival = m.runs[master, head, RunField.ARRIVAL] if m.runs[master, head, RunField.TIMED] else NOBODY
    m.masters[master, Asking.UNDER_WAY] += m.masters[master, Asking.OUTSTANDING] < FOREVER
    if holds_block(m, c, 1, bank, block):
        if write:
            m.host[Host.MERGED] += 1
        else:
            m.host[Host.FORWARDED] += 1
            note_latency(m, 0, 1)
            if arrival >= 0:
                note_latency(m, 2, cycle + 1 - arrival)
        complete(m, master, ticket, cycle + 1)
    else:
        e = append(m, c, write, master, ticket, arrival, cycle)
        if m.channels[c, Channel.WAKE] > cycle:
            m.channels[c, Channel.WAKE] = min(m.channels[c, Channel.WAKE], first_chance(m, c, write, e, cycle))
    m.host[Host.TAKEN_NOW] += 1
    m.host[Host.LAST] = master
    m.masters[master, Asking.TAKEN_NOW] += 1
    m.masters[master, Asking.TAKEN] += 1
    m.masters[master, Asking.SINCE] = cycle
    _go_on(m, master, head)


@inlined
def _ticket(m, master, head):
    """The row of `tickets` for the first access of a master, a new one at the beginning of a run or a beat."""
    if m.runs[master, head, RunField.TICKET] < 0:
        return NOBODY
    beats = m.runs[master, head, RunField.BEATS]
    beat, part = m.masters[master, Asking.BEAT], m.masters[master, Asking.PART]
    last_beat = m.runs[master, head, RunField.COUNT] - 1
    if part == 0 and (beats or beat == 0):
        m.host[Host.FREE_TICKETS] -= 1
        row = m.free_tickets[m.host[Host.FREE_TICKETS]]
        m.masters[master, Asking.TICKET] = row
        m.tickets[row, Ticket.TICKET] = m.runs[master, head, RunField.TICKET]
        m.tickets[row, Ticket.BEAT] = beat if beats else last_beat
        m.tickets[row, Ticket.REMAINING] = 1  # it is not complete before its last access is taken
        m.tickets[row, Ticket.FINISH] = 0
    row = m.masters[master, Asking.TICKET]
    last = part + 1 == m.masters[master, Asking.PARTS] and (beats or beat == last_beat)
    m.tickets[row, Ticket.REMAINING] += 0 if last else 1
    return row


@inlined
def _go_on(m, master, head):
    """The access of a master was taken: its next one is the first."""
    m.masters[master, Asking.KNOWN] = 0
    m.masters[master, Asking.PART] += 1
    if m.masters[master, Asking.PART] < m.masters[master, Asking.PARTS]:
        return
    m.masters[master, Asking.PART] = 0
    m.masters[master, Asking.BEAT] += 1
    if m.masters[master, Asking.BEAT] < m.runs[master, head, RunField.COUNT]:
        return
    m.masters[master, Asking.BEAT] = 0
    m.masters[master, Asking.HEAD] = (head + 1) % m.runs.shape[1]
    m.masters[master, Asking.RUNS] -= 1
    m.masters[master, Asking.DONE] += 1

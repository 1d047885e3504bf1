"""Which command of a channel is issued next, compiled: turns of reads and writes, and the choice among entries."""

from __future__ import annotations

from hwsim.dram.device.bank_state import earliest
from hwsim.dram.device.compiled import inlined
from hwsim.dram.device.tables import FOREVER
from hwsim.dram.random_access.fields import (
    ACTIVATE,
    NOBODY,
    PRECHARGE,
    READ,
    READ_AUTO,
    Bank,
    Channel,
    Entry,
    Limit,
    Rank,
    RowPolicy,
    Waiting,
)
from hwsim.dram.random_access.rows import banks_per_rank


@inlined
def choose(m, c, cycle):
    """The entry whose next command is issued, or NOBODY, and the command; else the earliest cycle of any candidate."""
    best, command, age, soonest = NOBODY, NOBODY, FOREVER, FOREVER
    lasting = m.limits[Limit.ROW_POLICY] == RowPolicy.OPEN and m.limits[Limit.ROW_CAP] == 0
    for i in range(m.channels[c, Channel.OPENED]):
        e = m.opened[c, i]
        bank = m.entries[c, e, Entry.BANK]
        if m.banks[c, bank, Bank.HELD]:
            continue
        if lasting and m.entries[c, e, Entry.READY] > cycle:
            soonest = min(soonest, m.entries[c, e, Entry.READY])
            continue
        access = access_command(m, c, m.entries[c, e, Entry.WRITE], e, bank)
        ready = earliest(m.device, m.tables, c, access, bank)
        if ready > cycle:
            soonest = min(soonest, ready)
            m.entries[c, e, Entry.READY] = ready
        elif m.entries[c, e, Entry.AGE] < age:
            best, command, age = e, access, m.entries[c, e, Entry.AGE]
    if best >= 0:
        return best, command, soonest
    return _choose_of_queue(m, c, m.channels[c, Channel.WRITING], cycle, soonest, lasting)


@inlined
def _choose_of_queue(m, c, q, cycle, soonest, lasting):
    """As `_choose`, of the queue whose turn it is.

    The first cycle of a bank's command is kept: it only moves on, as long as its entries and its row stay.
    """
    best, command, age = NOBODY, NOBODY, FOREVER
    accessing = False
    shielded = NOBODY
    oldest = m.channels[c, Channel.OLDEST + q]
    if oldest >= 0 and m.channels[c, Channel.BYPASSED + q] >= m.limits[Limit.BYPASS_CAP]:
        shielded = m.entries[c, oldest, Entry.BANK]  # no younger entry for its bank is considered
        if not m.banks[c, shielded, Bank.HELD]:
            wanted = _next_command(m, c, q, oldest, shielded)
            if wanted >= 0:
                ready = earliest(m.device, m.tables, c, wanted, shielded)
                if ready <= cycle:
                    best, command = oldest, wanted
                else:
                    soonest = min(soonest, ready)
    if best < 0:
        for i in range(m.channels[c, Channel.BANKS + q]):
            bank = m.listed[c, q, i]
            if bank == shielded or m.banks[c, bank, Bank.HELD]:
                continue
            if lasting and m.waiting[c, q, bank, Waiting.READY] > cycle:
                soonest = min(soonest, m.waiting[c, q, bank, Waiting.READY])
                continue
            e = m.waiting[c, q, bank, Waiting.HIT]
            hit = e >= 0
            if not hit:
                e = m.waiting[c, q, bank, Waiting.FIRST]
            if accessing and (not hit or m.entries[c, e, Entry.AGE] > age):
                continue
            wanted = _next_command(m, c, q, e, bank)
            ready = earliest(m.device, m.tables, c, wanted, bank) if wanted >= 0 else FOREVER
            m.waiting[c, q, bank, Waiting.READY] = ready
            if ready > cycle:
                soonest = min(soonest, ready)
            elif (hit and not accessing) or m.entries[c, e, Entry.AGE] < age:
                best, command, age = e, wanted, m.entries[c, e, Entry.AGE]
                accessing = hit
    return best, command, soonest


@inlined
def _next_command(m, c, q, e, bank):
    """The command that an entry needs next; NOBODY if a row opened for another entry, or a refresh, forbids it."""
    row = m.device.open_rows[c, bank]
    if row == m.entries[c, e, Entry.ROW]:
        return access_command(m, c, q, e, bank)
    if row < 0:
        return NOBODY if m.ranks[c, bank // banks_per_rank(m), Rank.HOLDS] else m.commands[ACTIVATE]
    return NOBODY if m.banks[c, bank, Bank.OPENED] >= 0 else m.commands[PRECHARGE]


@inlined
def access_command(m, c, q, e, bank):
    """The access itself, which may close its row: by the row policy, or as the last that the row may serve."""
    policy, cap = m.limits[Limit.ROW_POLICY], m.limits[Limit.ROW_CAP]
    if policy == RowPolicy.OPEN and cap == 0:
        return m.commands[READ + q]
    closes = policy == RowPolicy.CLOSED or (cap > 0 and m.banks[c, bank, Bank.USED] + 1 >= cap)
    if not closes and policy != RowPolicy.OPEN:
        others, wanted = _others(m, c, e, bank)
        closes = not wanted and (policy == RowPolicy.CLOSED_ADAPTIVE or others)
    return m.commands[READ_AUTO + q] if closes else m.commands[READ + q]


@inlined
def _others(m, c, e, bank):
    """Whether other entries wait for a bank, and whether one of them waits for the same row."""
    others = wanted = False
    for q in range(2):
        other = m.waiting[c, q, bank, Waiting.FIRST]
        while other >= 0:
            if other != e:
                others = True
                wanted |= m.entries[c, other, Entry.ROW] == m.entries[c, e, Entry.ROW]
            other = m.entries[c, other, Entry.NEXT]
    return others, wanted


@inlined
def take_turns(m, c):
    """Change between reads and writes, if it is time to."""
    if turn_changes(m, c):
        m.channels[c, Channel.WRITING] = 1 - m.channels[c, Channel.WRITING]
        m.channels[c, Channel.SERVED] = 0


@inlined
def turn_changes(m, c):
    reads, writes = m.channels[c, Channel.LENGTH], m.channels[c, Channel.LENGTH + 1]
    served = m.channels[c, Channel.SERVED]
    if m.channels[c, Channel.WRITING]:
        enough = writes <= m.limits[Limit.WRITE_LOW] or served >= m.limits[Limit.MOST_WRITES]
        return writes == 0 or (reads > 0 and enough)
    many = writes >= m.limits[Limit.WRITE_HIGH] and served >= m.limits[Limit.LEAST_READS]
    return writes > 0 and (many or reads == 0)


@inlined
def first_chance(m, c, q, e, cycle):
    """When a new entry may wake a sleeping channel: for itself only, since it can only delay others of its queue."""
    bank = m.entries[c, e, Entry.BANK]
    if turn_changes(m, c) or m.limits[Limit.ROW_POLICY] != RowPolicy.OPEN:
        return cycle  # the row policy looks at what waits
    if q != m.channels[c, Channel.WRITING]:
        return FOREVER
    row = m.device.open_rows[c, bank]
    command = m.commands[PRECHARGE]
    if row == m.entries[c, e, Entry.ROW]:
        command = access_command(m, c, q, e, bank)
    elif row < 0:
        command = m.commands[ACTIVATE]
    return max(cycle, earliest(m.device, m.tables, c, command, bank))

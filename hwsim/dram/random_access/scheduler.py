"""The controller of a channel, compiled: refresh, turns of reads and writes, and which command is issued next."""

from __future__ import annotations

from hwsim.dram.device.bank_state import earliest, note
from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.tables import FOREVER, Fact
from hwsim.dram.random_access.queues import find_hits, forget_hits, forget_opened, mark_opened, remove
from hwsim.dram.random_access.state import (
    ACTIVATE,
    LATENCY_BINS,
    NOBODY,
    PRECHARGE,
    READ,
    READ_AUTO,
    Asking,
    Bank,
    Channel,
    Entry,
    Host,
    Limit,
    Rank,
    Refreshing,
    Ticket,
    Waiting,
)

OPEN, OPEN_ADAPTIVE, CLOSED_ADAPTIVE, CLOSED = range(4)


@inlined
def step(m, c, cycle, log, record):
    """One cycle of a channel; sets when it wakes next and returns whether it served an access."""
    m.host[Host.STEPS] += 1
    wake = FOREVER
    if cycle >= m.channels[c, Channel.NEXT_DUE] or m.channels[c, Channel.REFRESHING] > 0:
        wake = _refresh(m, c, cycle, log, record)
        if wake == cycle:
            m.channels[c, Channel.WAKE] = cycle + 1
            return False
    take_turns(m, c)
    e, command, soonest = _choose(m, c, cycle)
    if e < 0:
        m.channels[c, Channel.WAKE] = min(wake, soonest, m.channels[c, Channel.NEXT_DUE])
        return False
    m.channels[c, Channel.WAKE] = cycle + 1
    bank = m.entries[c, e, Entry.BANK]
    _issue(m, c, command, bank, cycle)
    if command == m.commands[PRECHARGE]:
        m.entries[c, e, Entry.KIND] = 2
        _close(m, c, bank, cycle)
        if record:
            _log(m, log, c, cycle, command, bank, -1, -1)
        return False
    if command == m.commands[ACTIVATE]:
        _open(m, c, bank, e, cycle)
        if record:
            _log(m, log, c, cycle, command, bank, m.entries[c, e, Entry.ROW], -1)
        return False
    if record:
        _log(m, log, c, cycle, command, bank, m.entries[c, e, Entry.ROW], m.entries[c, e, Entry.COLUMN])
    _serve(m, c, e, command, cycle)
    return True


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
    if turn_changes(m, c) or m.limits[Limit.ROW_POLICY] != OPEN:
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


@inlined
def _choose(m, c, cycle):
    """The entry whose next command is issued, or NOBODY, and the command; else the earliest cycle of any candidate."""
    best, command, age, soonest = NOBODY, NOBODY, FOREVER, FOREVER
    lasting = m.limits[Limit.ROW_POLICY] == OPEN and m.limits[Limit.ROW_CAP] == 0
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
        return NOBODY if m.ranks[c, bank // _banks_per_rank(m), Rank.HOLDS] else m.commands[ACTIVATE]
    return NOBODY if m.banks[c, bank, Bank.OPENED] >= 0 else m.commands[PRECHARGE]


@inlined
def access_command(m, c, q, e, bank):
    """The access itself, which may close its row: by the row policy, or as the last that the row may serve."""
    policy, cap = m.limits[Limit.ROW_POLICY], m.limits[Limit.ROW_CAP]
    if policy == OPEN and cap == 0:
        return m.commands[READ + q]
    closes = policy == CLOSED or (cap > 0 and m.banks[c, bank, Bank.USED] + 1 >= cap)
    if not closes and policy != OPEN:
        others, wanted = _others(m, c, e, bank)
        closes = not wanted and (policy == CLOSED_ADAPTIVE or others)
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
def _issue(m, c, command, bank, cycle):
    note(m.device, m.tables, c, command, bank, cycle)
    m.counts[c, bank // _banks_per_rank(m), command] += 1


@inlined
def _banks_per_rank(m):
    return m.banks.shape[1] // m.ranks.shape[1]


@inlined
def _open(m, c, bank, e, cycle):
    rank = bank // _banks_per_rank(m)
    if m.ranks[c, rank, Rank.OPEN_BANKS] == 0 and cycle > m.ranks[c, rank, Rank.OPEN_UNTIL]:
        m.ranks[c, rank, Rank.OPEN_CYCLES] += m.ranks[c, rank, Rank.OPEN_UNTIL] - m.ranks[c, rank, Rank.OPEN_SINCE]
        m.ranks[c, rank, Rank.OPEN_SINCE] = cycle
    m.ranks[c, rank, Rank.OPEN_BANKS] += 1
    m.ranks[c, rank, Rank.BANK_CYCLES] -= cycle
    m.banks[c, bank, Bank.OPENED_AT] = cycle
    m.device.open_rows[c, bank] = m.entries[c, e, Entry.ROW]
    m.banks[c, bank, Bank.USED] = 0
    m.banks[c, bank, Bank.ACTIVATES] += 1
    m.entries[c, e, Entry.KIND] = max(m.entries[c, e, Entry.KIND], 1)
    find_hits(m, c, bank, m.entries[c, e, Entry.ROW])
    mark_opened(m, c, e)


@inlined
def _close(m, c, bank, end):
    """A row is closed, at once or by an access that closes it in a later cycle."""
    if m.device.open_rows[c, bank] < 0:
        return
    m.device.open_rows[c, bank] = -1
    forget_hits(m, c, bank)
    rank = bank // _banks_per_rank(m)
    m.ranks[c, rank, Rank.OPEN_BANKS] -= 1
    m.ranks[c, rank, Rank.BANK_CYCLES] += end
    m.ranks[c, rank, Rank.OPEN_UNTIL] = max(m.ranks[c, rank, Rank.OPEN_UNTIL], end)


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
        _close(m, c, bank, max(cycle + m.closing[1 + q], m.banks[c, bank, Bank.OPENED_AT] + m.closing[0]))
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


@compiled
def _refresh(m, c, cycle, log, record):
    """Issue the next command of a refresh that is due; return the cycle if one was issued, else when one may be."""
    wake = FOREVER
    for rank in range(m.ranks.shape[1]):
        if m.ranks[c, rank, Rank.DUE] > cycle:
            continue
        if not m.ranks[c, rank, Rank.HOLDS]:
            _hold(m, c, rank, 1)
        ready = _refresh_rank(m, c, rank, cycle, log, record)
        if ready == cycle:
            return cycle
        wake = min(wake, ready)
    return wake


@inlined
def _hold(m, c, rank, held):
    """A refresh has fallen due, or is done: its banks serve nothing, or serve again."""
    m.ranks[c, rank, Rank.HOLDS] = held
    m.channels[c, Channel.REFRESHING] += 1 if held else -1
    turn = m.ranks[c, rank, Rank.REFRESHES] % m.refresh[Refreshing.TURNS]
    first = rank * _banks_per_rank(m)
    for i in range(m.targets.shape[1]):
        m.banks[c, first + m.targets[turn, i], Bank.HELD] = held
    for bank in range(first, first + _banks_per_rank(m)):  # what may be opened has changed
        m.waiting[c, 0, bank, Waiting.READY] = m.waiting[c, 1, bank, Waiting.READY] = 0
    due = FOREVER
    for other in range(m.ranks.shape[1]):
        if not m.ranks[c, other, Rank.HOLDS]:
            due = min(due, m.ranks[c, other, Rank.DUE])
    m.channels[c, Channel.NEXT_DUE] = due


@compiled
def _refresh_rank(m, c, rank, cycle, log, record):
    """Close a bank of a rank's refresh or refresh; return the cycle, or when one of the two may be issued."""
    first = rank * _banks_per_rank(m)
    turn = m.ranks[c, rank, Rank.REFRESHES] % m.refresh[Refreshing.TURNS]
    wake = FOREVER
    any_open = False
    for i in range(m.targets.shape[1]):
        bank = first + m.targets[turn, i]
        if m.device.open_rows[c, bank] < 0 or (any_open and m.refresh[Refreshing.WHOLE]):
            continue
        any_open = True
        ready = earliest(m.device, m.tables, c, m.refresh[Refreshing.CLOSE], bank)
        if ready <= cycle:
            _close_for_refresh(m, c, first, turn, bank, cycle, log, record)
            return cycle
        wake = min(wake, ready)
    if any_open:
        return wake
    command = m.refresh[Refreshing.COMMAND]
    narrow = m.tables.commands[command, Fact.BLOCK] == 1
    named = m.targets.shape[1] if narrow else 1
    ready = cycle
    for i in range(named):
        ready = max(ready, earliest(m.device, m.tables, c, command, first + m.targets[turn, i]))
    if ready > cycle:
        return ready
    for i in range(named):
        note(m.device, m.tables, c, command, first + m.targets[turn, i], cycle)
    m.counts[c, rank, command] += 1
    if record:
        whole = m.tables.commands[command, Fact.BLOCK] == m.banks.shape[1]
        _log(m, log, c, cycle, command, -1 if whole else first + m.targets[turn, 0], -1, -1)
    turns, interval, ranks = m.refresh[Refreshing.TURNS], m.refresh[Refreshing.INTERVAL], m.ranks.shape[1]
    done = m.ranks[c, rank, Rank.REFRESHES] + 1
    m.ranks[c, rank, Rank.DUE] = ((done + 1) * ranks + rank) * interval // (turns * ranks)
    _hold(m, c, rank, 0)
    m.ranks[c, rank, Rank.REFRESHES] = done
    return cycle


@inlined
def _close_for_refresh(m, c, first, turn, bank, cycle, log, record):
    command = m.refresh[Refreshing.CLOSE]
    note(m.device, m.tables, c, command, bank, cycle)
    m.counts[c, first // _banks_per_rank(m), command] += 1
    if m.refresh[Refreshing.WHOLE]:
        for i in range(m.targets.shape[1]):
            _close(m, c, first + m.targets[turn, i], cycle)
    else:
        _close(m, c, bank, cycle)
    if record:
        whole = m.tables.commands[command, Fact.BLOCK] == m.banks.shape[1]
        named = first + m.targets[turn, 0] if m.refresh[Refreshing.WHOLE] else bank
        _log(m, log, c, cycle, command, -1 if whole else named, -1, -1)


@inlined
def _log(m, log, c, cycle, command, bank, row, column):
    entry = log[m.host[Host.LOGGED]]
    m.host[Host.LOGGED] += 1
    entry[0], entry[1], entry[2], entry[3], entry[4], entry[5] = c, cycle, command, bank, row, column

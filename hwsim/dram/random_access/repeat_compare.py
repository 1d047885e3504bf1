"""Whether a memory is in a state that was kept, moved in time and along its runs."""

from __future__ import annotations

from hwsim.dram.device.compiled import inlined, part
from hwsim.dram.random_access.fields import Arbitration, Asking, Channel, Entry, Host, Limit, Rank, RunField, Ticket
from hwsim.dram.random_access.kept import Note, Period


@part
def same_state(m, kept):
    """Whether the memory is in the kept state, moved in time and along its runs."""
    n = kept.notes
    moved = m.host[Host.CYCLE] - n[Note.CYCLE]
    if m.host[Host.COMPLETED] != n[Note.COMPLETED] or m.host[Host.LONG] != n[Note.LONG]:
        return False
    if m.host[Host.LAST] != n[Note.LAST] or m.host[Host.FINISH] - n[Note.FINISH] != moved:
        return False
    if m.host[Host.RECENT] >= m.recent.shape[0]:
        return False  # not all latencies since then are known
    for c in range(m.channels.shape[0]):
        if not _same_channel(m, kept, c, moved):
            return False
    return _same_masters(m, kept, moved) and _same_releases(m, kept, moved) and _apart(m)


@part
def _same_channel(m, kept, c, moved):
    now, then = m.channels[c], kept.channels[c]
    cycle = m.host[Host.CYCLE]
    if now[Channel.REFRESHING] or then[Channel.REFRESHING] or now[Channel.WRITING] != then[Channel.WRITING]:
        return False
    if now[Channel.NEXT_DUE] != then[Channel.NEXT_DUE]:
        return False
    enough = max(m.limits[Limit.MOST_WRITES], m.limits[Limit.LEAST_READS])
    if min(now[Channel.SERVED], enough) != min(then[Channel.SERVED], enough):
        return False
    if not _same_time(now[Channel.WAKE], then[Channel.WAKE], cycle, moved):
        return False
    cap = m.limits[Limit.BYPASS_CAP]
    for q in range(2):
        if now[Channel.LENGTH + q] != then[Channel.LENGTH + q]:
            return False
        if min(now[Channel.BYPASSED + q], cap) != min(then[Channel.BYPASSED + q], cap):
            return False
        if not _same_queue(m, kept, c, q, moved):
            return False
    for bank in range(m.banks.shape[1]):
        if m.device.open_rows[c, bank] != kept.open_rows[c, bank]:
            return False
    for node in range(m.device.allowed.shape[1]):
        for command in range(m.device.allowed.shape[2]):
            if not _same_time(m.device.allowed[c, node, command], kept.allowed[c, node, command], cycle, moved):
                return False
    for i in range(m.device.history.shape[1]):
        if not _same_time(m.device.history[c, i], kept.history[c, i], cycle - m.tables.reach, moved):
            return False
    for rank in range(m.ranks.shape[1]):
        if m.ranks[c, rank, Rank.OPEN_BANKS] != kept.ranks[c, rank, Rank.OPEN_BANKS]:
            return False
        for field in (Rank.OPEN_SINCE, Rank.OPEN_UNTIL):
            if m.ranks[c, rank, field] - kept.ranks[c, rank, field] not in (0, moved):
                return False
    return True


@inlined
def _same_time(now, then, cycle, moved):
    """Whether a time has moved with the present, or is past now as it was then."""
    return now - then == moved or (now <= cycle and then <= cycle - moved)


@part
def _same_queue(m, kept, c, q, moved):
    """Whether entry by entry a queue is as it was: same banks and rows, at the same distance of their masters."""
    e, place = m.channels[c, Channel.OLDEST + q], 0
    aged = m.host[Host.TAKEN] - kept.notes[Note.TAKEN]
    while e >= 0:
        then = kept.order[c, q, place]
        now, before = m.entries[c, e], kept.entries[c, then]
        master = now[Entry.MASTER]
        for field in (Entry.BANK, Entry.ROW, Entry.KIND, Entry.OPENED, Entry.MASTER, Entry.TICKET, Entry.ARRIVAL):
            if now[field] != before[field]:
                return False
        if now[Entry.ARRIVAL] >= 0 or now[Entry.TAKEN] - before[Entry.TAKEN] != moved:
            return False
        if now[Entry.AGE] - before[Entry.AGE] != aged:
            return False
        further = m.masters[master, Asking.TAKEN] - kept.masters[master, Asking.TAKEN]
        if now[Entry.INDEX] - before[Entry.INDEX] != further:
            return False
        of_run = m.masters[master, Asking.TAKEN] - before[Entry.INDEX]
        if m.masters[master, Asking.RUNS] == 0 or of_run > _taken_of_run(m, master):
            return False  # it belongs to a run before
        e = m.entries[c, e, Entry.YOUNGER]
        place += 1
    return True


@inlined
def _taken_of_run(m, master):
    """Accesses that were taken of a master's first run; its beats have equally many, as the period implies."""
    return m.masters[master, Asking.BEAT] * accesses_of_beat(m, master) + m.masters[master, Asking.PART]


@part
def _same_masters(m, kept, moved):
    cycle = m.host[Host.CYCLE]
    for master in range(m.masters.shape[0]):
        now, then = m.masters[master], kept.masters[master]
        for field in (Asking.UNDER_WAY, Asking.DONE, Asking.RUNS, Asking.PART, Asking.TICKET):
            if now[field] != then[field]:
                return False
        if not has_arrived(m, master, cycle):
            if now[Asking.TAKEN] != then[Asking.TAKEN] or not _same_time(
                now[Asking.NEXT_OFFER], then[Asking.NEXT_OFFER], cycle, moved
            ):
                return False
            continue
        if not has_arrived(m, master, cycle - moved):
            return False
        beats = now[Asking.BEAT] - then[Asking.BEAT]
        if beats % kept.periods[master, Period.BEATS]:
            return False
        if not _same_time(now[Asking.NEXT_OFFER], then[Asking.NEXT_OFFER], cycle, moved):
            return False
        if beats and now[Asking.SINCE] - then[Asking.SINCE] != moved:
            return False
        if not beats and now[Asking.SINCE] != then[Asking.SINCE]:
            return False
        if not beats and m.limits[Limit.ARBITRATION] == Arbitration.OLDEST:
            return False  # one that waits grows older than the others
        ticket = now[Asking.TICKET]
        if m.runs[master, now[Asking.HEAD], RunField.TICKET] >= 0:
            for field in (Ticket.TICKET, Ticket.REMAINING):
                if m.tickets[ticket, field] != kept.tickets[ticket, field]:
                    return False
            if m.tickets[ticket, Ticket.FINISH] - kept.tickets[ticket, Ticket.FINISH] != moved:
                return False
    return True


@part
def _same_releases(m, kept, moved):
    if m.host[Host.RELEASES] != kept.notes[Note.RELEASES]:
        return False
    for i in range(m.host[Host.RELEASES]):
        if m.releases[i, 0] - kept.releases[i, 0] != moved or m.releases[i, 1] != kept.releases[i, 1]:
            return False
    return True


@part
def _apart(m):
    """Whether no run writes where another one goes; if one does, they may meet at a place where they did not before."""
    cycle = m.host[Host.CYCLE]
    for one in range(m.masters.shape[0]):
        if not has_arrived(m, one, cycle) or not m.runs[one, m.masters[one, Asking.HEAD], RunField.WRITE]:
            continue
        low, high = _range(m, one)
        for other in range(m.masters.shape[0]):
            if other != one and has_arrived(m, other, cycle):
                first, last = _range(m, other)
                if first <= high and low <= last:
                    return False
    return True


@inlined
def _range(m, master):
    """First and last access of a run."""
    run = m.runs[master, m.masters[master, Asking.HEAD]]
    last = run[RunField.ADDRESS] + (run[RunField.COUNT] - 1) * run[RunField.STRIDE] + run[RunField.SIZE] - 1
    return run[RunField.ADDRESS] // m.limits[Limit.COLUMN_BYTES], last // m.limits[Limit.COLUMN_BYTES]


@inlined
def has_arrived(m, master, cycle):
    """Whether a master has a run that has arrived."""
    if m.masters[master, Asking.RUNS] == 0:
        return False
    return m.runs[master, m.masters[master, Asking.HEAD], RunField.ARRIVAL] <= cycle


@inlined
def accesses_of_beat(m, master):
    head, size = m.masters[master, Asking.HEAD], m.limits[Limit.COLUMN_BYTES]
    first = m.runs[master, head, RunField.ADDRESS]
    return (first + m.runs[master, head, RunField.SIZE] - 1) // size - first // size + 1

"""Runs in closed form: a memory that does the same again, only later and further along its runs, need not be played.

While runs go through open rows, the memory comes back to a state in which it was before, with all times moved by one
amount and all runs by whole periods of their places. Everything that it does is decided by times relative to the
present and by places, so it repeats itself until something happens that is not in that state: a place in another row, a
refresh, another arrival, the end of a run. All repetitions up to there are entered at once.

The state is looked at in the cycles in which the first run has gone on by a period: kept, then compared.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.tables import FOREVER, Ints
from hwsim.dram.random_access.port import place_of
from hwsim.dram.random_access.state import (
    Asking,
    Bank,
    Channel,
    Digit,
    Entry,
    Host,
    Limit,
    Memory,
    Rank,
    RunField,
    Ticket,
)

MOST_PERIOD = 256  # beats after which the places of a run repeat
COMPARISONS = 8  # with one kept state
MOST_GAP = 1024  # periods between attempts that did not succeed
FEW = 16  # beats of a run that is not worth an attempt
COLUMN_PART = 3
OLDEST_FIRST = 2


class Note(IntEnum):
    """Places in `Kept.notes`."""

    CYCLE = 0
    HELD = 1  # whether a state is kept
    COMPARED = 2
    GAP = 3
    NEXT = 4  # period of the first run in which it is looked at next
    AT = 5  # period in which it was looked at last
    TAKEN = 6
    FORWARDED = 7
    MERGED = 8
    LAST = 9
    FINISH = 10
    COMPLETED = 11
    LONG = 12
    RELEASES = 13


class Period(IntEnum):
    """Columns of `Kept.periods`: how the places of a master's first run repeat."""

    RUN = 0  # number of the run
    BEATS = 1  # 0 if they do not
    DIGIT = 2  # the digit of the address that moves on
    STEP = 3  # by so much


class Kept(NamedTuple):
    """A state that was kept, in the shapes of `Memory`.

    Attributes
    ----------
    notes : (len(Note),)
    periods : (masters, len(Period))
    order : (channels, 2, entries) the entries of each queue by age
    """

    notes: Ints
    periods: Ints
    masters: Ints
    channels: Ints
    entries: Ints
    order: Ints
    banks: Ints
    ranks: Ints
    counts: Ints
    releases: Ints
    tickets: Ints
    allowed: Ints
    history: Ints
    open_rows: Ints


def new_kept(m: Memory) -> Kept:
    """Room for a state; none is kept."""
    periods = np.full((len(m.masters), len(Period)), -1, dtype=np.int64)
    return Kept(
        notes=np.zeros(len(Note), dtype=np.int64),
        periods=periods,
        masters=m.masters.copy(),
        channels=m.channels.copy(),
        entries=m.entries.copy(),
        order=np.zeros((*m.listed.shape[:2], m.entries.shape[1]), dtype=np.int64),
        banks=m.banks.copy(),
        ranks=m.ranks.copy(),
        counts=m.counts.copy(),
        releases=m.releases.copy(),
        tickets=m.tickets.copy(),
        allowed=m.device.allowed.copy(),
        history=m.device.history.copy(),
        open_rows=m.device.open_rows.copy(),
    )


def forget(kept: Kept) -> None:
    """Keep no state: the memory is no longer the one whose state was kept."""
    kept.notes[:] = 0
    kept.notes[Note.AT] = -1
    kept.periods[:, Period.RUN] = -1


@inlined
def repeat(m, kept, until):
    """After a cycle's taking: enter all repetitions of what was done since a kept state, or keep this one."""
    lead = _lead(m, kept)
    if lead >= 0:
        at = m.masters[lead, Asking.BEAT] // kept.periods[lead, Period.BEATS]
        if at != kept.notes[Note.AT] and at >= kept.notes[Note.NEXT]:
            _attempt(m, kept, lead, at, until)


@inlined
def _active(m, master, cycle):
    """Whether a master has a run that has arrived."""
    if m.masters[master, Asking.RUNS] == 0:
        return False
    return m.runs[master, m.masters[master, Asking.HEAD], RunField.ARRIVAL] <= cycle


@inlined
def _lead(m, kept):
    """The first master with a run, if the places of all runs repeat; else -1."""
    lead, cycle = -1, m.host[Host.CYCLE]
    if m.limits[Limit.ROW_CAP] > 0:
        return -1
    for master in range(m.masters.shape[0]):
        if not _active(m, master, cycle):
            continue
        if m.runs[master, m.masters[master, Asking.HEAD], RunField.COUNT] < FEW:
            return -1
        if kept.periods[master, Period.RUN] != m.masters[master, Asking.DONE]:
            _find_period(m, kept, master)
        if kept.periods[master, Period.BEATS] == 0:
            return -1
        if lead < 0:
            lead = master
    return lead


@compiled
def _attempt(m, kept, lead, at, until):
    n = kept.notes
    n[Note.AT] = at
    if not n[Note.HELD]:
        _keep(m, kept)
        return
    if _same(m, kept):
        times = _repetitions(m, kept, until)
        if times > 0:
            _jump(m, kept, times)
        n[Note.HELD], n[Note.GAP] = 0, 1
        n[Note.AT] = m.masters[lead, Asking.BEAT] // kept.periods[lead, Period.BEATS]
        n[Note.NEXT] = n[Note.AT] + 1
        return
    n[Note.COMPARED] += 1
    if n[Note.COMPARED] == COMPARISONS:
        n[Note.HELD] = 0
        n[Note.NEXT] = at + n[Note.GAP]
        n[Note.GAP] = min(2 * n[Note.GAP], MOST_GAP)


@compiled
def _find_period(m, kept, master):
    """After how many beats the places of a new run are the same but for one digit of the column."""
    row, run = kept.periods[master], m.runs[master, m.masters[master, Asking.HEAD]]
    row[Period.RUN], row[Period.BEATS] = m.masters[master, Asking.DONE], 0
    n = kept.notes
    n[Note.HELD], n[Note.GAP], n[Note.NEXT], n[Note.AT] = 0, 1, 0, -1
    stride, size = run[RunField.STRIDE], m.limits[Limit.COLUMN_BYTES]
    if stride < 0 or stride % size or run[RunField.TIMED] or run[RunField.BEATS]:
        return  # beats differ in their accesses, or each is told apart
    for beats in range(1, MOST_PERIOD + 1):
        rest, digit, step, single = beats * stride // size, -1, 0, True
        for i in range(m.digits.shape[0]):
            value = rest % m.digits[i, Digit.SIZE]
            rest //= m.digits[i, Digit.SIZE]
            if value == 0:
                continue
            single &= digit < 0 and m.digits[i, Digit.PART] == COLUMN_PART
            digit, step = i, value
        if single and rest == 0:
            row[Period.BEATS], row[Period.DIGIT], row[Period.STEP] = beats, digit, step
            return


@compiled
def _keep(m, kept):
    """Keep the present state."""
    n = kept.notes
    n[Note.CYCLE], n[Note.HELD], n[Note.COMPARED] = m.host[Host.CYCLE], 1, 0
    n[Note.TAKEN], n[Note.FORWARDED], n[Note.MERGED] = (
        m.host[Host.TAKEN],
        m.host[Host.FORWARDED],
        m.host[Host.MERGED],
    )
    n[Note.LAST], n[Note.FINISH] = m.host[Host.LAST], m.host[Host.FINISH]
    n[Note.COMPLETED], n[Note.LONG], n[Note.RELEASES] = (
        m.host[Host.COMPLETED],
        m.host[Host.LONG],
        m.host[Host.RELEASES],
    )
    m.host[Host.RECENT] = 0
    _copy2(m.masters, kept.masters)
    _copy2(m.channels, kept.channels)
    _copy2(m.releases, kept.releases)
    _copy2(m.tickets, kept.tickets)
    _copy2(m.device.history, kept.history)
    _copy2(m.device.open_rows, kept.open_rows)
    _copy3(m.banks, kept.banks)
    _copy3(m.ranks, kept.ranks)
    _copy3(m.counts, kept.counts)
    _copy3(m.device.allowed, kept.allowed)
    for c in range(m.channels.shape[0]):
        for q in range(2):
            e = m.channels[c, Channel.OLDEST + q]
            place = 0
            while e >= 0:
                kept.order[c, q, place] = e
                place += 1
                for field in range(m.entries.shape[2]):
                    kept.entries[c, e, field] = m.entries[c, e, field]
                e = m.entries[c, e, Entry.YOUNGER]


@compiled
def _copy2(source, target):
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            target[i, j] = source[i, j]


@compiled
def _copy3(source, target):
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            for k in range(source.shape[2]):
                target[i, j, k] = source[i, j, k]


@compiled
def _same(m, kept):
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


@compiled
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


@compiled
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
    return m.masters[master, Asking.BEAT] * _parts(m, master) + m.masters[master, Asking.PART]


@inlined
def _parts(m, master):
    head, size = m.masters[master, Asking.HEAD], m.limits[Limit.COLUMN_BYTES]
    first = m.runs[master, head, RunField.ADDRESS]
    return (first + m.runs[master, head, RunField.SIZE] - 1) // size - first // size + 1


@compiled
def _same_masters(m, kept, moved):
    cycle = m.host[Host.CYCLE]
    for master in range(m.masters.shape[0]):
        now, then = m.masters[master], kept.masters[master]
        for field in (Asking.UNDER_WAY, Asking.DONE, Asking.RUNS, Asking.PART, Asking.TICKET):
            if now[field] != then[field]:
                return False
        if not _active(m, master, cycle):
            if now[Asking.TAKEN] != then[Asking.TAKEN] or not _same_time(
                now[Asking.NEXT_OFFER], then[Asking.NEXT_OFFER], cycle, moved
            ):
                return False
            continue
        if not _active(m, master, cycle - moved):
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
        if not beats and m.limits[Limit.ARBITRATION] == OLDEST_FIRST:
            return False  # one that waits grows older than the others
        ticket = now[Asking.TICKET]
        if m.runs[master, now[Asking.HEAD], RunField.TICKET] >= 0:
            for field in (Ticket.TICKET, Ticket.REMAINING):
                if m.tickets[ticket, field] != kept.tickets[ticket, field]:
                    return False
            if m.tickets[ticket, Ticket.FINISH] - kept.tickets[ticket, Ticket.FINISH] != moved:
                return False
    return True


@compiled
def _same_releases(m, kept, moved):
    if m.host[Host.RELEASES] != kept.notes[Note.RELEASES]:
        return False
    for i in range(m.host[Host.RELEASES]):
        if m.releases[i, 0] - kept.releases[i, 0] != moved or m.releases[i, 1] != kept.releases[i, 1]:
            return False
    return True


@compiled
def _apart(m):
    """Whether no run writes where another one goes; if one does, they may meet at a place where they did not before."""
    cycle = m.host[Host.CYCLE]
    for one in range(m.masters.shape[0]):
        if not _active(m, one, cycle) or not m.runs[one, m.masters[one, Asking.HEAD], RunField.WRITE]:
            continue
        low, high = _range(m, one)
        for other in range(m.masters.shape[0]):
            if other != one and _active(m, other, cycle):
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


@compiled
def _repetitions(m, kept, until):
    """How often what happened since the kept state happens again, before anything else does."""
    cycle = m.host[Host.CYCLE]
    moved = cycle - kept.notes[Note.CYCLE]
    times = (until - 1 - cycle) // moved if until < FOREVER else FOREVER
    for c in range(m.channels.shape[0]):
        if m.channels[c, Channel.NEXT_DUE] < FOREVER:
            times = min(times, (m.channels[c, Channel.NEXT_DUE] - cycle) // moved)
    for master in range(m.masters.shape[0]):
        if m.masters[master, Asking.RUNS] == 0:
            continue
        run = m.runs[master, m.masters[master, Asking.HEAD]]
        if run[RunField.ARRIVAL] > cycle:
            times = min(times, (run[RunField.ARRIVAL] - 1 - cycle) // moved)
            continue
        beat = m.masters[master, Asking.BEAT]
        beats = beat - kept.masters[master, Asking.BEAT]
        if beats == 0:
            continue
        times = min(times, (run[RunField.COUNT] - 1 - beat) // beats)
        period = kept.periods[master]
        step = period[Period.STEP] * (beats // period[Period.BEATS])
        for ahead in range(period[Period.BEATS]):
            if not _same_row(m, run, beat + ahead, beat + ahead - beats):
                return 0  # the next access is in another row than those under way
            if step > 0:
                times = min(times, _until_carry(m, run, beat + ahead, period[Period.DIGIT], step))
    return times


@compiled
def _same_row(m, run, beat, before):
    """Whether the accesses of two beats go to the same rows."""
    size = m.limits[Limit.COLUMN_BYTES]
    address = run[RunField.ADDRESS] + beat * run[RunField.STRIDE]
    moved = (beat - before) * run[RunField.STRIDE] // size
    for block in range(address // size, (address + run[RunField.SIZE] - 1) // size + 1):
        if place_of(m.digits, block)[:3] != place_of(m.digits, block - moved)[:3]:
            return False
    return True


@compiled
def _until_carry(m, run, beat, digit, step):
    """How often a digit of a beat's accesses can move on before the next digit does."""
    size = m.limits[Limit.COLUMN_BYTES]
    address = run[RunField.ADDRESS] + beat * run[RunField.STRIDE]
    times = FOREVER
    for block in range(address // size, (address + run[RunField.SIZE] - 1) // size + 1):
        rest = block
        for i in range(digit):
            rest //= m.digits[i, Digit.SIZE]
        left = m.digits[digit, Digit.SIZE] - 1 - rest % m.digits[digit, Digit.SIZE]
        times = min(times, left // step)
    return times


@compiled
def _jump(m, kept, times):
    """Enter that many repetitions."""
    n = kept.notes
    later = times * (m.host[Host.CYCLE] - n[Note.CYCLE])
    cycle = m.host[Host.CYCLE]
    aged = times * (m.host[Host.TAKEN] - n[Note.TAKEN])
    for c in range(m.channels.shape[0]):
        _move_channel(m, kept, c, times, later, cycle)
        _move_entries(m, kept, c, times, later, aged)
    for i in range(m.host[Host.RECENT]):
        m.latencies[m.recent[i, 0], m.recent[i, 1]] += times
    for i in range(m.host[Host.RELEASES]):
        m.releases[i, 0] += later
    m.host[Host.FORWARDED] += times * (m.host[Host.FORWARDED] - n[Note.FORWARDED])
    m.host[Host.MERGED] += times * (m.host[Host.MERGED] - n[Note.MERGED])
    m.host[Host.TAKEN] += aged
    m.host[Host.FINISH] += later
    m.host[Host.CYCLE] += later
    for master in range(m.masters.shape[0]):
        _move_master(m, kept, master, times, later, cycle)


@compiled
def _move_channel(m, kept, c, times, later, cycle):
    now, then = m.channels[c], kept.channels[c]
    for field in range(Channel.KINDS, Channel.KINDS + 3):
        now[field] += times * (now[field] - then[field])
    now[Channel.SERVED] += times * (now[Channel.SERVED] - then[Channel.SERVED])
    if now[Channel.WAKE] > cycle:
        now[Channel.WAKE] += later
    for rank in range(m.ranks.shape[1]):
        row, before = m.ranks[c, rank], kept.ranks[c, rank]
        for field in (Rank.OPEN_CYCLES, Rank.BANK_CYCLES):
            row[field] += times * (row[field] - before[field])
        for field in (Rank.OPEN_SINCE, Rank.OPEN_UNTIL):
            if row[field] != before[field]:
                row[field] += later
        for command in range(m.counts.shape[2]):
            m.counts[c, rank, command] += times * (m.counts[c, rank, command] - kept.counts[c, rank, command])
    for bank in range(m.banks.shape[1]):
        for field in (Bank.ACCESSES, Bank.ACTIVATES):
            m.banks[c, bank, field] += times * (m.banks[c, bank, field] - kept.banks[c, bank, field])
        if m.banks[c, bank, Bank.OPENED_AT] != kept.banks[c, bank, Bank.OPENED_AT]:
            m.banks[c, bank, Bank.OPENED_AT] += later
    for node in range(m.device.allowed.shape[1]):
        for command in range(m.device.allowed.shape[2]):
            if m.device.allowed[c, node, command] > cycle:
                m.device.allowed[c, node, command] += later
    for i in range(m.device.history.shape[1]):
        if m.device.history[c, i] > cycle - m.tables.reach:
            m.device.history[c, i] += later
    m.device.last_issue[c] += later


@compiled
def _move_entries(m, kept, c, times, later, aged):
    size = m.limits[Limit.COLUMN_BYTES]
    for q in range(2):
        e = m.channels[c, Channel.OLDEST + q]
        while e >= 0:
            entry = m.entries[c, e]
            master = entry[Entry.MASTER]
            further = m.masters[master, Asking.TAKEN] - kept.masters[master, Asking.TAKEN]
            entry[Entry.INDEX] += times * further
            entry[Entry.AGE] += aged
            entry[Entry.TAKEN] += later
            run = m.runs[master, m.masters[master, Asking.HEAD]]
            entry[Entry.BLOCK] += times * (further // _parts(m, master)) * run[RunField.STRIDE] // size
            _, _, _, entry[Entry.COLUMN] = place_of(m.digits, entry[Entry.BLOCK])
            e = m.entries[c, e, Entry.YOUNGER]


@compiled
def _move_master(m, kept, master, times, later, cycle):
    now, then = m.masters[master], kept.masters[master]
    if now[Asking.NEXT_OFFER] > cycle:
        now[Asking.NEXT_OFFER] += later
    beats = now[Asking.BEAT] - then[Asking.BEAT]
    if not _active(m, master, cycle) or beats == 0:
        return
    now[Asking.SINCE] += later
    now[Asking.BEAT] += times * beats
    taken = times * (now[Asking.TAKEN] - then[Asking.TAKEN])
    now[Asking.TAKEN] += taken
    m.host[Host.SKIPPED] += taken
    now[Asking.KNOWN] = 0
    if m.runs[master, now[Asking.HEAD], RunField.TICKET] >= 0:
        m.tickets[now[Asking.TICKET], Ticket.FINISH] += later

"""Entering repetitions: how many there are before anything else happens, and what they change."""

from __future__ import annotations

from hwsim.dram.device.compiled import part
from hwsim.dram.device.tables import FOREVER
from hwsim.dram.random_access.address import DigitColumn
from hwsim.dram.random_access.fields import Asking, Bank, Channel, Entry, Host, Limit, Rank, RunField, Ticket
from hwsim.dram.random_access.kept import Note, Period
from hwsim.dram.random_access.port import place_of
from hwsim.dram.random_access.repeat_compare import accesses_of_beat, has_arrived


@part
def repetitions(m, kept, until):
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


@part
def _same_row(m, run, beat, before):
    """Whether the accesses of two beats go to the same rows."""
    size = m.limits[Limit.COLUMN_BYTES]
    address = run[RunField.ADDRESS] + beat * run[RunField.STRIDE]
    moved = (beat - before) * run[RunField.STRIDE] // size
    for block in range(address // size, (address + run[RunField.SIZE] - 1) // size + 1):
        if place_of(m.digits, block)[:3] != place_of(m.digits, block - moved)[:3]:
            return False
    return True


@part
def _until_carry(m, run, beat, digit, step):
    """How often a digit of a beat's accesses can move on before the next digit does."""
    size = m.limits[Limit.COLUMN_BYTES]
    address = run[RunField.ADDRESS] + beat * run[RunField.STRIDE]
    times = FOREVER
    for block in range(address // size, (address + run[RunField.SIZE] - 1) // size + 1):
        rest = block
        for i in range(digit):
            rest //= m.digits[i, DigitColumn.SIZE]
        left = m.digits[digit, DigitColumn.SIZE] - 1 - rest % m.digits[digit, DigitColumn.SIZE]
        times = min(times, left // step)
    return times


@part
def enter(m, kept, times):
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


@part
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


@part
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
            entry[Entry.BLOCK] += times * (further // accesses_of_beat(m, master)) * run[RunField.STRIDE] // size
            _, _, _, entry[Entry.COLUMN] = place_of(m.digits, entry[Entry.BLOCK])
            e = m.entries[c, e, Entry.YOUNGER]


@part
def _move_master(m, kept, master, times, later, cycle):
    now, then = m.masters[master], kept.masters[master]
    if now[Asking.NEXT_OFFER] > cycle:
        now[Asking.NEXT_OFFER] += later
    beats = now[Asking.BEAT] - then[Asking.BEAT]
    if not has_arrived(m, master, cycle) or beats == 0:
        return
    now[Asking.SINCE] += later
    now[Asking.BEAT] += times * beats
    taken = times * (now[Asking.TAKEN] - then[Asking.TAKEN])
    now[Asking.TAKEN] += taken
    m.host[Host.SKIPPED] += taken
    now[Asking.KNOWN] = 0
    if m.runs[master, now[Asking.HEAD], RunField.TICKET] >= 0:
        m.tickets[now[Asking.TICKET], Ticket.FINISH] += later

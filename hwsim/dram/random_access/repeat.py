"""Runs in closed form: a memory that does the same again, only later and further along its runs, need not be played.

While runs go through open rows, the memory comes back to a state in which it was before, with all times moved by one
amount and all runs by whole periods of their places. Everything that it does is decided by times relative to the
present and by places, so it repeats itself until something happens that is not in that state: a place in another row, a
refresh, another arrival, the end of a run. All repetitions up to there are entered at once.

The state is looked at in the cycles in which the first run has gone on by a period: kept, then compared.
"""

from __future__ import annotations

from hwsim.dram.device.compiled import inlined, part
from hwsim.dram.random_access.address import DigitColumn
from hwsim.dram.random_access.digits import Part
from hwsim.dram.random_access.fields import Asking, Channel, Entry, Host, Limit, RunField
from hwsim.dram.random_access.kept import Note, Period
from hwsim.dram.random_access.repeat_compare import has_arrived, same_state
from hwsim.dram.random_access.repeat_enter import enter, repetitions

MOST_PERIOD = 256  # beats after which the places of a run repeat
COMPARISONS = 8  # with one kept state
MOST_GAP = 1024  # periods between attempts that did not succeed
FEW = 16  # beats of a run that is not worth an attempt


@inlined
def repeat(m, kept, until):
    """After a cycle's taking: enter all repetitions of what was done since a kept state, or keep this one."""
    lead = _lead(m, kept)
    if lead >= 0:
        at = m.masters[lead, Asking.BEAT] // kept.periods[lead, Period.BEATS]
        if at != kept.notes[Note.AT] and at >= kept.notes[Note.NEXT]:
            _attempt(m, kept, lead, at, until)


@inlined
def _lead(m, kept):
    """The first master with a run, if the places of all runs repeat; else -1."""
    lead, cycle = -1, m.host[Host.CYCLE]
    if m.limits[Limit.ROW_CAP] > 0:
        return -1
    for master in range(m.masters.shape[0]):
        if not has_arrived(m, master, cycle):
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


@part
def _attempt(m, kept, lead, at, until):
    n = kept.notes
    n[Note.AT] = at
    if not n[Note.HELD]:
        _keep(m, kept)
        return
    if same_state(m, kept):
        times = repetitions(m, kept, until)
        if times > 0:
            enter(m, kept, times)
        n[Note.HELD], n[Note.GAP] = 0, 1
        n[Note.AT] = m.masters[lead, Asking.BEAT] // kept.periods[lead, Period.BEATS]
        n[Note.NEXT] = n[Note.AT] + 1
        return
    n[Note.COMPARED] += 1
    if n[Note.COMPARED] == COMPARISONS:
        n[Note.HELD] = 0
        n[Note.NEXT] = at + n[Note.GAP]
        n[Note.GAP] = min(2 * n[Note.GAP], MOST_GAP)


@part
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
            value = rest % m.digits[i, DigitColumn.SIZE]
            rest //= m.digits[i, DigitColumn.SIZE]
            if value == 0:
                continue
            single &= digit < 0 and m.digits[i, DigitColumn.PART] == Part.COLUMN
            digit, step = i, value
        if single and rest == 0:
            row[Period.BEATS], row[Period.DIGIT], row[Period.STEP] = beats, digit, step
            return


@part
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


@part
def _copy2(source, target):
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            target[i, j] = source[i, j]


@part
def _copy3(source, target):
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            for k in range(source.shape[2]):
                target[i, j, k] = source[i, j, k]

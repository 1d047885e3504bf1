"""The fast memory: the reference's rules compiled by numba; it skips cycles in which nothing can happen.

Two shortcuts, both exact. A channel in which nothing can be issued sleeps until the first cycle that the table allows
for one of its candidates, its next refresh, or a new request. The earliest cycle of a command in a bank is computed
once after each command of the channel.

Bank state and timing are those of `hwsim.dram.in_order.kernel`, one state row a channel.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order.kernel import (
    DUE,
    DURATION,
    FIRST,
    INTERVAL,
    LAST,
    LAST_ISSUE,
    LATENCY,
    LEVEL,
    OPEN_BANKS,
    OPEN_ROWS,
    PRECEDING,
    REFRESH,
    REFRESH_PRECHARGE,
    WINDOW,
    Tables,
    _earliest,
    _history,
    _note,
    _set_rows,
    compile_tables,
    new_states,
)
from hwsim.dram.random_access.address import FIELDS
from hwsim.dram.random_access.parameters import ControllerParameters

Ints = NDArray[np.int64]
FOREVER = 1 << 60
# Reasons for which `play` returns.
DONE, MORE_REQUESTS, FULL_BUFFERS = range(3)
# Requests.
WRITE, CHANNEL, BANK, ROW, COLUMN, BLOCK = range(6)
# Queue entries; the first fields are a request's.
ARRIVAL, KIND = 6, 7
# Memory.host.
CYCLE, NEXT_OFFER, SENT, LATENCIES, LOGGED, FORWARDED, MERGED, FINISH, OFFERING = range(9)
# Memory.channels: head and length of the read and the write queue, then the scheduler's state, then its counters.
HEAD, LENGTH, BYPASSED, WRITING, SERVED, WAKE, STAMP, KINDS = 0, 2, 4, 6, 7, 8, 9, 10
CHANNEL_FIELDS = 13
# Memory.limits.
QUEUE, HIGH, LOW, MOST_WRITES, LEAST_READS, CAP, WIDTH, EVERY = 0, 2, 3, 4, 5, 6, 7, 8
# Commands of a bank, as the table of earliest cycles counts them.
ACCESS, ACTIVATE, PRECHARGE = 0, 2, 3
LATENCY_FIELDS = 2  # write, cycles
LOG_FIELDS = 6  # channel, cycle, command, bank, row, column


class Memory(NamedTuple):
    """Everything that a memory holds.

    Attributes
    ----------
    host : the clock and the host's side
    channels : (channels, CHANNEL_FIELDS)
    states : (channels, ...) bank state and timing
    queues : (channels, 2, room, 8) reads and writes; a queue is a contiguous part that moves through the room
    earliest, stamps : (channels, 4, banks) earliest cycle of a command in a bank, and the channel's stamp when it was
    computed
    counts : (channels, commands) issues
    limits : the controller's parameters and the host's rate
    commands : the standard's numbers of RD, WR, ACT, PRE
    waits : (4, banks, most, 2) constraints of each of these commands in each bank: place of the past issue, latency
    """

    host: Ints
    channels: Ints
    states: Ints
    queues: Ints
    earliest: Ints
    stamps: Ints
    counts: Ints
    limits: Ints
    commands: Ints
    waits: Ints
    tables: Tables


def new_memory(
    standard: Standard, channels: int, parameters: ControllerParameters, *, width: int, every: int
) -> Memory:
    """Idle channels with all banks closed, at cycle 0."""
    tables = compile_tables(standard)
    state = np.zeros((channels, CHANNEL_FIELDS), dtype=np.int64)
    state[:, SERVED] = parameters.least_reads_between
    state[:, STAMP] = 1
    room = 8 * max(parameters.read_queue, parameters.write_queue)
    limits = [
        parameters.read_queue,
        parameters.write_queue,
        parameters.write_high,
        parameters.write_low,
        parameters.most_writes_a_drain,
        parameters.least_reads_between,
        parameters.bypass_cap,
        width,
        every,
    ]
    access = standard.commands["RD"]
    commands = [standard.command_ids[name] for name in ("RD", "WR", access.activate, access.precharge) if name]
    return Memory(
        host=np.zeros(9, dtype=np.int64),
        channels=state,
        states=new_states(standard, tables, channels, None),
        queues=np.zeros((channels, 2, room, len(FIELDS) + 2), dtype=np.int64),
        earliest=np.zeros((channels, 4, standard.banks), dtype=np.int64),
        stamps=np.zeros((channels, 4, standard.banks), dtype=np.int64),
        counts=np.zeros((channels, len(standard.commands)), dtype=np.int64),
        limits=np.array(limits, dtype=np.int64),
        commands=np.array(commands, dtype=np.int64),
        waits=_waits(commands, standard.banks, tables),
        tables=tables,
    )


def _waits(commands: list[int], banks: int, t: Tables) -> Ints:
    """The constraints of some commands for each bank, except constraints after commands that a memory never issues."""
    issued = {*commands, int(t.scalars[REFRESH]), int(t.scalars[REFRESH_PRECHARGE])}
    found = [
        [
            row
            for row in t.constraints[t.commands[command, FIRST] : t.commands[command, LAST]]
            if row[PRECEDING] in issued
        ]
        for command in commands
    ]
    waits = np.zeros((len(commands), banks, max(len(rows) for rows in found), 2), dtype=np.int64)
    waits[:] = LAST_ISSUE, 1  # padding where other commands have more constraints
    for index, rows in enumerate(found):
        for bank in range(banks):
            for k, row in enumerate(rows):
                node, windowed = t.nodes[row[LEVEL], bank], row[WINDOW] != 1
                place = _history(t, node, row[PRECEDING]) + row[WINDOW] - 1 if windowed else node + row[PRECEDING]
                waits[index, bank, k] = place, row[LATENCY]
    return waits


@njit(cache=True, error_model="numpy")
def play(m, requests, first, final, latencies, log, record):
    """Hand over requests from number `first` on, until all are handed over (`final`: until all are served).

    Returns
    -------
    Why it stopped, and the number of requests handed over.
    """
    host = m.host
    at = first
    while True:
        if host[LATENCIES] + m.limits[WIDTH] + m.states.shape[0] > latencies.shape[0]:
            return FULL_BUFFERS, at
        if record and host[LOGGED] + m.states.shape[0] > log.shape[0]:
            return FULL_BUFFERS, at
        cycle = host[CYCLE]
        blocked = False
        if cycle >= host[NEXT_OFFER] or host[OFFERING]:
            host[OFFERING] = 1
            while host[SENT] < m.limits[WIDTH] and not blocked:
                if at == requests.shape[0]:
                    if not final:
                        return MORE_REQUESTS, at
                    break
                if _offer(m, requests, at, cycle, latencies):
                    at += 1
                    host[SENT] += 1
                else:
                    blocked = True
            if host[SENT]:
                host[NEXT_OFFER] = cycle + m.limits[EVERY]
                blocked = False
            host[SENT] = 0
            host[OFFERING] = 0
        following = FOREVER
        served = False
        empty = True
        for c in range(m.states.shape[0]):
            if m.channels[c, WAKE] <= cycle:
                served |= _step(m, c, cycle, latencies, log, record)
            following = min(following, m.channels[c, WAKE])
            empty &= m.channels[c, LENGTH] == 0 and m.channels[c, LENGTH + 1] == 0
        if final and at == requests.shape[0]:
            if empty:
                return DONE, at
        elif blocked:
            if served:  # there is room, which the host sees in the next cycle
                following = cycle + 1
        else:
            following = min(following, max(host[NEXT_OFFER], cycle + 1))
        host[CYCLE] = following


@njit(cache=True, error_model="numpy", inline="always")
def _holds(queues, c, q, head, length, block):
    found = False
    for i in range(head, head + length):
        found |= queues[c, q, i, BLOCK] == block
    return found


@njit(cache=True, error_model="numpy", inline="always")
def _offer(m, requests, at, cycle, latencies):
    """Hand a request to its channel; False if it has to wait."""
    host = m.host
    c = requests[at, CHANNEL]
    write = requests[at, WRITE]
    block = requests[at, BLOCK]
    if write and _holds(m.queues, c, 0, m.channels[c, HEAD], m.channels[c, LENGTH], block):
        return False
    if _holds(m.queues, c, 1, m.channels[c, HEAD + 1], m.channels[c, LENGTH + 1], block):
        if write:
            host[MERGED] += 1
        else:
            host[FORWARDED] += 1
            _note_latency(host, latencies, 0, 1)
            host[FINISH] = max(host[FINISH], cycle + 1)
        return True
    length = m.channels[c, LENGTH + write]
    if length == m.limits[QUEUE + write]:
        return False
    head = m.channels[c, HEAD + write]
    if head + length == m.queues.shape[2]:  # at the end of the room: move back to its beginning
        for i in range(length):
            m.queues[c, write, i] = m.queues[c, write, head + i]
        head = 0
        m.channels[c, HEAD + write] = 0
    last = head + length
    for field in range(requests.shape[1]):
        m.queues[c, write, last, field] = requests[at, field]
    m.queues[c, write, last, ARRIVAL] = cycle
    m.queues[c, write, last, KIND] = 0
    m.channels[c, LENGTH + write] = length + 1
    if m.channels[c, WAKE] > cycle:
        m.channels[c, WAKE] = min(
            m.channels[c, WAKE],
            _first_chance(m, c, write, m.queues[c, write, last, BANK], m.queues[c, write, last, ROW], cycle),
        )
    return True


@njit(cache=True, error_model="numpy", inline="always")
def _first_chance(m, c, write, bank, row, cycle):
    """When a new request may wake a sleeping channel: for itself only, since it can only delay others of its queue."""
    if write != m.channels[c, WRITING]:
        return cycle  # the channel may switch to the other queue
    open_row = m.states[c, OPEN_ROWS + bank]
    command = ACCESS + write if open_row == row else ACTIVATE if open_row < 0 else PRECHARGE
    return max(cycle, _when(m, c, command, bank))


@njit(cache=True, error_model="numpy", inline="always")
def _note_latency(host, latencies, write, cycles):
    place = host[LATENCIES]
    latencies[place, 0] = write
    latencies[place, 1] = cycles
    host[LATENCIES] = place + 1


@njit(cache=True, error_model="numpy", inline="always")
def _step(m, c, cycle, latencies, log, record):
    """One cycle of a channel; sets when it wakes next and returns whether it served a request."""
    if cycle >= m.states[c, DUE]:
        m.channels[c, WAKE] = _refresh(m, c, cycle, log, record)
        return False
    _take_turns(m.channels, c, m.limits)
    q = m.channels[c, WRITING]
    place, command, soonest = _choose(m, c, q, cycle)
    if place < 0:
        m.channels[c, WAKE] = min(soonest, m.states[c, DUE])
        return False
    m.channels[c, WAKE] = cycle + 1
    s = m.states[c]
    t = m.tables
    number = m.commands[command]
    bank, row = m.queues[c, q, place, BANK], m.queues[c, q, place, ROW]
    _note(s, t, number, bank, cycle)
    m.channels[c, STAMP] += 1
    m.counts[c, number] += 1
    if command >= ACTIVATE:
        opens = command == ACTIVATE
        _set_rows(s, t, number, bank, row if opens else -1)
        m.queues[c, q, place, KIND] = max(m.queues[c, q, place, KIND], 1 if opens else 2)
        if record:
            _log(m.host, log, c, cycle, number, bank, row if opens else -1, -1)
        return False
    if record:
        _log(m.host, log, c, cycle, number, bank, row, m.queues[c, q, place, COLUMN])
    end = cycle + t.commands[number, DURATION]
    _note_latency(m.host, latencies, q, end - m.queues[c, q, place, ARRIVAL])
    m.host[FINISH] = max(m.host[FINISH], end)
    m.channels[c, KINDS + m.queues[c, q, place, KIND]] += 1
    m.channels[c, SERVED] += 1
    head = m.channels[c, HEAD + q]
    m.channels[c, BYPASSED + q] = 0 if place == head else m.channels[c, BYPASSED + q] + 1
    for i in range(place, head, -1):  # older requests move up
        for field in range(m.queues.shape[3]):
            m.queues[c, q, i, field] = m.queues[c, q, i - 1, field]
    m.channels[c, HEAD + q] = head + 1
    m.channels[c, LENGTH + q] -= 1
    return True


@njit(cache=True, error_model="numpy", inline="always")
def _refresh(m, c, cycle, log, record):
    """Close all banks, then refresh; returns the cycle of the next step."""
    s = m.states[c]
    t = m.tables
    closed = s[OPEN_BANKS] == 0
    command = t.scalars[REFRESH] if closed else t.scalars[REFRESH_PRECHARGE]
    earliest = _earliest(s, t, command, 0)
    if earliest > cycle:
        return earliest
    _note(s, t, command, 0, cycle)
    m.channels[c, STAMP] += 1
    m.counts[c, command] += 1
    if record:
        _log(m.host, log, c, cycle, command, -1, -1, -1)
    if closed:
        s[DUE] += t.scalars[INTERVAL]
    else:
        _set_rows(s, t, command, 0, -1)
    return cycle + 1


@njit(cache=True, error_model="numpy", inline="always")
def _take_turns(channels, c, limits):
    reads, writes = channels[c, LENGTH], channels[c, LENGTH + 1]
    if channels[c, WRITING]:
        enough = writes <= limits[LOW] or channels[c, SERVED] >= limits[MOST_WRITES]
        change = writes == 0 or (reads > 0 and enough)
    else:
        many = writes >= limits[HIGH] and channels[c, SERVED] >= limits[LEAST_READS]
        change = writes > 0 and (many or reads == 0)
    if change:
        channels[c, WRITING] = 1 - channels[c, WRITING]
        channels[c, SERVED] = 0


@njit(cache=True, error_model="numpy", inline="always")
def _choose(m, c, q, cycle):
    """Place in the queue and command of the request to serve, or -1; and the earliest cycle of any candidate."""
    head = m.channels[c, HEAD + q]
    end = head + m.channels[c, LENGTH + q]
    soonest = FOREVER
    if head == end:
        return -1, 0, soonest
    capped = m.channels[c, BYPASSED + q] >= m.limits[CAP]
    shielded = m.queues[c, q, head, BANK] if capped else -1
    if capped:
        # no younger request to its bank is considered, so none can keep its row from it
        bank = shielded
        row = m.states[c, OPEN_ROWS + bank]
        command = ACCESS + q if row == m.queues[c, q, head, ROW] else ACTIVATE if row < 0 else PRECHARGE
        ready = _when(m, c, command, bank)
        if ready <= cycle:
            return head, command, soonest
        soonest = ready
    first = head + capped
    wanted = np.int64(0)  # banks whose open row a request waits for
    others = 0
    for i in range(first, end):
        bank = m.queues[c, q, i, BANK]
        if m.states[c, OPEN_ROWS + bank] != m.queues[c, q, i, ROW]:
            others += 1
            continue
        if wanted >> bank & 1 or bank == shielded:
            continue
        wanted |= np.int64(1) << bank
        ready = _when(m, c, ACCESS + q, bank)
        if ready <= cycle:
            return i, ACCESS + q, soonest
        soonest = min(soonest, ready)
    if others == 0:
        return -1, 0, soonest
    seen = wanted  # an open row that a request waits for is not closed
    for i in range(first, end):
        bank = m.queues[c, q, i, BANK]
        if seen >> bank & 1 or bank == shielded:
            continue
        seen |= np.int64(1) << bank  # a younger request to the bank needs the same command
        command = ACTIVATE if m.states[c, OPEN_ROWS + bank] < 0 else PRECHARGE
        ready = _when(m, c, command, bank)
        if ready <= cycle:
            return i, command, soonest
        soonest = min(soonest, ready)
    return -1, 0, soonest


@njit(cache=True, error_model="numpy", inline="always")
def _when(m, c, command, bank):
    """First cycle that the table allows for a command in a bank in the channel's present state."""
    stamp = m.channels[c, STAMP]
    if m.stamps[c, command, bank] != stamp:
        m.stamps[c, command, bank] = stamp
        bound = m.states[c, LAST_ISSUE] + 1
        for k in range(m.waits.shape[2]):
            bound = max(bound, m.states[c, m.waits[command, bank, k, 0]] + m.waits[command, bank, k, 1])
        m.earliest[c, command, bank] = bound
    return m.earliest[c, command, bank]


@njit(cache=True, error_model="numpy", inline="always")
def _log(host, log, c, cycle, command, bank, row, column):
    entry = log[host[LOGGED]]
    host[LOGGED] += 1
    entry[0], entry[1], entry[2], entry[3], entry[4], entry[5] = c, cycle, command, bank, row, column

"""Ordinary reads and writes of a channel, compiled: the first ready one goes first, then the oldest.

They are played event by event, since they are served in another order than they come.
"""

from __future__ import annotations

import numpy as np

from hwsim.dram.aim.issue_kernel import complete, issue, needed, switch_mode
from hwsim.dram.aim.ledger_kernel import begin_busy
from hwsim.dram.aim.refresh_kernel import NO_LIMIT, catch_up, refresh
from hwsim.dram.aim.state import OPENED, READS, WRITES, Control, Request
from hwsim.dram.device.bank_state import earliest
from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.tables import FOREVER, Fact, Kind

_NONE = np.int64(0)  # numpy's integer: see `state.READS`


@compiled
def take(s, t, c, log, now, command, reads, bank, row):
    """Hand an ordinary read or write to a channel; return when it was accepted."""
    queue = READS if reads else WRITES
    cycle = max(now, s.control[c, Control.LAST_LEFT] + 1)  # AiM requests leave first
    if holds(s, c):
        serve(s, t, c, log, cycle, queue, _NONE)
        if s.lengths[c, queue] == t.queue_depth:
            serve(s, t, c, log, NO_LIMIT, queue, t.queue_depth)
            cycle = s.control[c, Control.NEXT]
    if not holds(s, c):
        idle(s, t, c, log, cycle)
        begin_busy(s.ledger, c, cycle)
    _append(s, c, queue, bank, row, cycle, command, reads)
    return cycle


@inlined
def let_leave(s, t, c, log, now):
    """Serve all ordinary requests; return when a channel then takes AiM requests."""
    cycle = now
    if holds(s, c):
        serve(s, t, c, log, now, READS, _NONE)
    if holds(s, c):
        serve(s, t, c, log, NO_LIMIT, READS, _NONE)
        cycle = s.control[c, Control.NEXT]
    else:
        idle(s, t, c, log, now)
    return cycle


@inlined
def holds(s, c):
    """Whether a channel holds ordinary requests."""
    return s.lengths[c, READS] + s.lengths[c, WRITES] + s.lengths[c, OPENED] > 0


@inlined
def idle(s, t, c, log, now):
    """A cycle without any request gives writes the turn; refreshes that fall due meanwhile are issued."""
    catch_up(s, t, c, log, now - 1)
    if now > s.control[c, Control.NEXT]:
        s.control[c, Control.WRITES_FIRST] = 1
        s.control[c, Control.NEXT] = now


@compiled
def serve(s, t, c, log, until, queue, below):
    """Serve requests until cycle `until`, or until none is left, or until fewer than `below` wait in a queue."""
    while s.control[c, Control.NEXT] < until and holds(s, c) and s.lengths[c, queue] >= below:
        cycle = s.control[c, Control.NEXT]
        if s.control[c, Control.DUE] > cycle or s.lengths[c, OPENED] > 0:
            s.control[c, Control.NEXT] = min(_step(s, t, c, log, cycle), until)
        elif refresh(s, t, c, log, cycle, until - 1):
            s.control[c, Control.NEXT] = s.banks.last_issue[c] + 1
        else:
            s.control[c, Control.NEXT] = until


@inlined
def _step(s, t, c, log, cycle):
    """Issue a command in `cycle` if a request is ready; return the next cycle in which one may be.

    Once a refresh is due, only requests whose row is open go first.
    """
    chosen, ready, wake = _choose(s, t, c, OPENED, cycle)
    if ready:
        _advance(s, t, c, log, OPENED, chosen, cycle)
        return cycle + 1
    if s.control[c, Control.DUE] <= cycle:
        return wake
    queue = _take_turns(s, t, c)
    chosen, ready, soonest = _choose(s, t, c, queue, cycle)
    if ready and not _spoils(s, t, c, queue, chosen):
        _advance(s, t, c, log, queue, chosen, cycle)
        return cycle + 1
    return min(wake, soonest, s.control[c, Control.DUE])


@compiled
def _choose(s, t, c, queue, cycle):
    """The request of a queue that goes first, whether it is ready, and when another one becomes ready."""
    chosen, chosen_ready, oldest, soonest = -1, False, FOREVER, FOREVER
    for i in range(s.lengths[c, queue]):
        bank, arrival = s.waiting[c, queue, i, Request.BANK], s.waiting[c, queue, i, Request.ARRIVAL]
        allowed = earliest(s.banks, t.device, c, _needed(s, t, c, queue, i), bank)
        ready = allowed <= cycle
        if not ready:
            soonest = min(soonest, allowed)
        if chosen < 0 or (ready and not chosen_ready) or (ready == chosen_ready and arrival < oldest):
            chosen, chosen_ready, oldest = i, ready, arrival
    return chosen, chosen_ready, soonest


@inlined
def _needed(s, t, c, queue, i):
    request = s.waiting[c, queue, i]
    return needed(s, t, c, request[Request.COMMAND], request[Request.BANK], request[Request.ROW])


@inlined
def _take_turns(s, t, c):
    """The queue whose turn it is: writes above 80 % of their room or without reads, until they are below 20 %."""
    reads, writes = s.lengths[c, READS], s.lengths[c, WRITES]
    if s.control[c, Control.WRITES_FIRST]:
        writes_first = not (10 * writes < 2 * t.queue_depth and reads > 0)
    else:
        writes_first = 10 * writes > 8 * t.queue_depth or reads == 0
    s.control[c, Control.WRITES_FIRST] = writes_first
    return WRITES if writes_first else READS


@inlined
def _spoils(s, t, c, queue, i):
    """Whether a request would close a row that was opened for another."""
    spoils = False
    if t.device.commands[_needed(s, t, c, queue, i), Fact.KIND] == Kind.PRECHARGE:
        for k in range(s.lengths[c, OPENED]):
            spoils |= s.waiting[c, OPENED, k, Request.BANK] == s.waiting[c, queue, i, Request.BANK]
    return spoils


@compiled
def _advance(s, t, c, log, queue, i, cycle):
    """Issue the next command of a request."""
    bank, row = s.waiting[c, queue, i, Request.BANK], s.waiting[c, queue, i, Request.ROW]
    arrival = s.waiting[c, queue, i, Request.ARRIVAL]
    access, reads = s.waiting[c, queue, i, Request.COMMAND], s.waiting[c, queue, i, Request.READ]
    command = switch_mode(s, t, c, _needed(s, t, c, queue, i), 0)
    issue(s, t, c, log, command, bank, row, cycle)
    if command == access:
        _remove(s, c, queue, i)
        complete(s, c, cycle + t.device.commands[access, Fact.DURATION], reads)
    elif t.device.commands[command, Fact.KIND] == Kind.ACTIVATE:
        _remove(s, c, queue, i)
        _append(s, c, OPENED, bank, row, arrival, access, reads)


@inlined
def _append(s, c, queue, bank, row, arrival, command, reads):
    place = s.lengths[c, queue]
    s.waiting[c, queue, place, Request.BANK] = bank
    s.waiting[c, queue, place, Request.ROW] = row
    s.waiting[c, queue, place, Request.ARRIVAL] = arrival
    s.waiting[c, queue, place, Request.COMMAND] = command
    s.waiting[c, queue, place, Request.READ] = reads
    s.lengths[c, queue] = place + 1


@inlined
def _remove(s, c, queue, i):
    s.lengths[c, queue] -= 1
    for place in range(i, s.lengths[c, queue]):
        for k in range(s.waiting.shape[3]):
            s.waiting[c, queue, place, k] = s.waiting[c, queue, place + 1, k]

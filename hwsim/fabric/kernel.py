"""A fabric and its memory, compiled: cycle by cycle, passing over cycles in which everything waits for the memory.

A request takes some time to the memory controller, and an answer some time back. So what the memory does before a
request of this cycle could reach it is settled already, and its answers count only after their way back. The memory is
played in steps of that length (`_ask_memory`), and no request or answer is early or late.
"""

from __future__ import annotations

from hwsim.dram.device.compiled import compiled, part
from hwsim.dram.device.tables import FOREVER
from hwsim.dram.random_access.embedded import advance, known, take_completions
from hwsim.fabric.kernel_results import FULL, STUCK
from hwsim.fabric.loops import step_loop
from hwsim.fabric.memory_system import PARTS
from hwsim.fabric.reads import step_reads
from hwsim.fabric.state import PART_SHIFT, FifoField, LoopField, Part, PortField, Time, TransferField
from hwsim.fabric.writes import step_writes


@compiled
def play(f, m, kept, until):
    """Play the cycles before `until`, or until a task ends.

    Where it stops at `until`, the memory has been played as far as no further request can reach it, so that what the
    memory counts depends on the cycle alone.

    Returns
    -------
    Number of tasks that ended in the last cycle; STUCK if nothing will ever happen again, FULL if the caller must first
    take over what the memory counted.
    """
    while True:
        if f.time[Time.DONE] > 0:
            return f.time[Time.DONE]
        cycle = f.time[Time.CYCLE]
        if cycle >= until:
            return 0 if _ask_memory(f, m, kept) else FULL
        if f.time[Time.CHANGED]:
            _list_active(f)
        if f.time[Time.WAITING] > 0 and cycle > f.time[Time.HORIZON] and not _ask_memory(f, m, kept):
            return FULL
        f.time[Time.STEPS] += 1
        if _step(f, m):
            f.time[Time.CYCLE] = cycle + 1
        else:
            following = _next_event(f, until)
            if following >= FOREVER:
                return STUCK
            _wait_on(f, following - cycle - 1)
            f.time[Time.CYCLE] = following


@part
def _step(f, m):
    """One cycle; whether anything happened."""
    moved = False
    for p in range(f.ports.shape[0]):
        if f.ports[p, 0, PortField.USERS] > 0:
            moved |= step_reads(f, m, p)
        if f.ports[p, 1, PortField.USERS] > 0:
            moved |= step_writes(f, m, p)
    for i in range(f.time[Time.LOOPS]):
        moved |= step_loop(f, f.active_loops[i])
    for i in range(f.time[Time.FIFOS]):
        fifo = f.active_fifos[i]
        f.fifos[fifo, FifoField.COUNT] += f.fifos[fifo, FifoField.PUT] - f.fifos[fifo, FifoField.TAKEN]
        f.fifos[fifo, FifoField.PUT] = 0
        f.fifos[fifo, FifoField.TAKEN] = 0
    return moved


@part
def _next_event(f, until):
    """The next cycle in which something may happen: an answer that is known, or the memory's next step."""
    following = until
    if f.time[Time.WAITING] > 0:
        following = min(following, f.time[Time.HORIZON] + 1)
    for p in range(f.ports.shape[0]):
        for way in range(2):
            if f.ports[p, way, PortField.COUNT] > 0:
                following = min(following, f.parts[p, way, f.ports[p, way, PortField.HEAD], Part.READY])
    return following


@part
def _wait_on(f, cycles):
    """Loops that waited in this cycle go on waiting for some more."""
    for i in range(f.time[Time.LOOPS]):
        loop = f.active_loops[i]
        fifo = f.loops[loop, LoopField.BLOCKED]
        if fifo >= 0:
            column = FifoField.WAITED_FOR_ROOM if f.loops[loop, LoopField.OUTWARD] else FifoField.WAITED_FOR_ITEMS
            f.fifos[fifo, column] += cycles


@part
def _ask_memory(f, m, kept):
    """Play the memory as far as no further request can reach it, and note its answers.

    An answer that is unknown then is to an access that completes later than a request of this cycle arrives. So it
    comes in a later cycle, however short the ways are.
    """
    ticks, period = f.time[Time.CYCLE] * f.time[Time.PERIOD], f.time[Time.MEMORY_PERIOD]
    until = (ticks + f.time[Time.REQUEST]) // period
    while True:
        room = advance(m, kept, until)
        for i in range(known(m)):
            ticket = m.completions[i, 1]
            way, place = ticket >> PART_SHIFT, ticket & (PARTS - 1)
            back = m.completions[i, 0] * period + f.time[Time.RESPONSE]
            f.parts[way >> 1, way & 1, place, Part.READY] = (back + f.time[Time.PERIOD] - 1) // f.time[Time.PERIOD]
        some = known(m) > 0
        take_completions(m)
        if room:
            horizon = (until * period + f.time[Time.RESPONSE]) // f.time[Time.PERIOD]
            f.time[Time.HORIZON] = max(horizon, f.time[Time.CYCLE])
            return True
        if not some:
            return False


@part
def _list_active(f):
    """List the slots in use, in their order, and count the transfers of each port and direction."""
    f.time[Time.CHANGED] = 0
    f.time[Time.LOOPS] = _list(f.loops, f.active_loops)
    f.time[Time.TRANSFERS] = _list(f.transfers, f.active_transfers)
    f.time[Time.FIFOS] = _list(f.fifos, f.active_fifos)
    for p in range(f.ports.shape[0]):
        f.ports[p, 0, PortField.USERS] = 0
        f.ports[p, 1, PortField.USERS] = 0
    for i in range(f.time[Time.TRANSFERS]):
        x = f.active_transfers[i]
        f.ports[f.transfers[x, TransferField.PORT], f.transfers[x, TransferField.WRITE], PortField.USERS] += 1


@part
def _list(table, slots):
    """Slots that are in use: loops, transfers and FIFOs say so in their first column."""
    count = 0
    for slot in range(len(table)):
        if table[slot, 0] == 1:
            slots[count] = slot
            count += 1
    return count

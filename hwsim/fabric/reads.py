"""Reads at an AXI port, compiled: one cycle of its address channel, its data channel, and its buffer."""

from __future__ import annotations

import numpy as np

from hwsim.dram.device.compiled import part
from hwsim.dram.device.tables import FOREVER
from hwsim.dram.random_access.embedded import offer
from hwsim.fabric.loops import end_part_of
from hwsim.fabric.memory_system import BOUNDARY, PARTS
from hwsim.fabric.state import (
    PART_SHIFT,
    FifoField,
    Part,
    PortField,
    Time,
    TransferField,
)

READ, WRITE = np.int64(0), np.int64(1)


@part
def step_reads(f, m, p):
    """Play a cycle of a port's reads; whether anything happened, or will without an answer of the memory."""
    moved = _receive(f, p)
    moved |= _hand_over(f, p)
    return _ask(f, m, p) or moved


@part
def _receive(f, p):
    """A beat comes over the narrow port into the buffer; it is whole in its last cycle there."""
    if f.ports[p, READ, PortField.COUNT] == 0:
        return False
    cycle, head = f.time[Time.CYCLE], f.ports[p, READ, PortField.HEAD]
    ready = f.parts[p, READ, head, Part.READY]
    if ready > cycle:
        return False
    if max(ready, f.ports[p, READ, PortField.NEXT_BEAT]) + f.ports[p, READ, PortField.RATIO] - 1 > cycle:
        return True
    f.ports[p, READ, PortField.NEXT_BEAT] = cycle + 1
    f.ports[p, READ, PortField.BEATS] += 1
    f.transfers[f.parts[p, READ, head, Part.TRANSFER], TransferField.INSIDE] += 1
    f.parts[p, READ, head, Part.BEATS] -= 1
    if f.parts[p, READ, head, Part.BEATS] == 0:
        close_part(f, p, READ)
    return True


@part
def close_part(f, p, way):
    """The oldest transaction of the narrow port is over, and perhaps the master's that it is a part of."""
    head = f.ports[p, way, PortField.HEAD]
    f.parts[p, way, head, Part.READY] = FOREVER
    f.ports[p, way, PortField.HEAD] = (head + 1) & (PARTS - 1)
    f.ports[p, way, PortField.COUNT] -= 1
    f.ports[p, way, PortField.OUTSTANDING] -= f.parts[p, way, head, Part.LAST]
    f.time[Time.WAITING] -= 1


@part
def _hand_over(f, p):
    """Each transfer's next beat goes from the buffer into its FIFO."""
    moved = False
    for i in range(f.time[Time.TRANSFERS]):
        x = f.active_transfers[i]
        if f.transfers[x, TransferField.PORT] != p or f.transfers[x, TransferField.WRITE]:
            continue
        fifo = f.transfers[x, TransferField.FIFO]
        if f.transfers[x, TransferField.INSIDE] > 0 and f.fifos[fifo, FifoField.COUNT] < f.fifos[fifo, FifoField.DEPTH]:
            f.fifos[fifo, FifoField.PUT] += 1
            f.transfers[x, TransferField.INSIDE] -= 1
            f.ports[p, READ, PortField.BUFFERED] -= 1
            f.transfers[x, TransferField.OPEN] -= 1
            if f.transfers[x, TransferField.OPEN] == 0:
                end_transfer(f, x)
            moved = True
    return moved


@part
def end_transfer(f, x):
    f.transfers[x, TransferField.ACTIVE] = 2
    f.transfers[x, TransferField.ENDED] = f.time[Time.CYCLE] + 1
    end_part_of(f, f.transfers[x, TransferField.TASK])


@part
def _ask(f, m, p):
    """Send the next request, if limits, buffer and the address channel allow it."""
    x = _next_transfer(f, p)
    if x < 0 or f.ports[p, READ, PortField.OUTSTANDING] >= f.ports[p, READ, PortField.LIMIT]:
        return False
    beats = next_burst(f, p, READ, x)
    if f.ports[p, READ, PortField.BUFFERED] + beats > f.ports[p, READ, PortField.BUFFER]:
        return False
    if f.ports[p, READ, PortField.NEXT_REQUEST] > f.time[Time.CYCLE]:
        return True
    f.ports[p, READ, PortField.BUFFERED] += beats
    f.ports[p, READ, PortField.OUTSTANDING] += 1
    f.ports[p, READ, PortField.TRANSACTIONS] += 1
    f.ports[p, READ, PortField.LAST] = x
    address, parts = next_address(f, p, READ, x), 0
    pass_beats(f, x, beats)
    while beats > 0:
        size = min(beats, f.ports[p, READ, PortField.PART_BEATS])
        place = add_part(f, p, READ, x, size, address, beats == size)
        send_part(f, m, p, READ, place, parts)
        beats -= size
        address += size * f.ports[p, READ, PortField.BEAT_BYTES]
        parts += 1
    f.ports[p, READ, PortField.NEXT_REQUEST] = f.time[Time.CYCLE] + parts
    return True


@part
def _next_transfer(f, p):
    """Which transfer's turn it is among those with beats to ask for; they take turns."""
    first, following, last = -1, -1, f.ports[p, READ, PortField.LAST]
    for i in range(f.time[Time.TRANSFERS]):
        x = f.active_transfers[i]
        if f.transfers[x, TransferField.PORT] != p or f.transfers[x, TransferField.WRITE]:
            continue
        if f.transfers[x, TransferField.LEFT] > 0:
            first = x if first < 0 else first
            following = x if following < 0 and x > last else following
    return following if following >= 0 else first


@part
def next_burst(f, p, way, x):
    """Beats of a transfer's next burst: as many as it and the port allow, within its chunk, and across no boundary."""
    inside = f.transfers[x, TransferField.BEATS] - f.transfers[x, TransferField.PLACE]
    most = min(f.transfers[x, TransferField.BURST], f.ports[p, way, PortField.BURST])
    beats = min(most, f.transfers[x, TransferField.LEFT], inside)
    size = f.ports[p, way, PortField.BEAT_BYTES]
    to_boundary = (BOUNDARY - next_address(f, p, way, x) % BOUNDARY) // size
    return min(beats, max(to_boundary, 1))


@part
def next_address(f, p, way, x):
    start = f.chunks[x, f.transfers[x, TransferField.CHUNK]]
    return start + f.transfers[x, TransferField.PLACE] * f.ports[p, way, PortField.BEAT_BYTES]


@part
def pass_beats(f, x, beats):
    """Move a transfer past some beats of its chunk."""
    f.transfers[x, TransferField.LEFT] -= beats
    f.transfers[x, TransferField.PLACE] += beats
    if f.transfers[x, TransferField.PLACE] == f.transfers[x, TransferField.BEATS]:
        f.transfers[x, TransferField.PLACE] = 0
        f.transfers[x, TransferField.CHUNK] += 1


@part
def add_part(f, p, way, x, beats, address, last):
    """Append a transaction of the narrow port; its place in the ring."""
    place = (f.ports[p, way, PortField.HEAD] + f.ports[p, way, PortField.COUNT]) & (PARTS - 1)
    f.parts[p, way, place, Part.TRANSFER] = x
    f.parts[p, way, place, Part.BEATS] = beats
    f.parts[p, way, place, Part.READY] = FOREVER
    f.parts[p, way, place, Part.LAST] = last
    f.parts[p, way, place, Part.ADDRESS] = address
    f.parts[p, way, place, Part.SIZE] = beats * f.ports[p, way, PortField.BEAT_BYTES]
    f.ports[p, way, PortField.COUNT] += 1
    f.time[Time.WAITING] += 1
    return place


@part
def send_part(f, m, p, way, place, later):
    """Send a transaction to the memory controller, `later` cycles from now."""
    ticks = (f.time[Time.CYCLE] + later) * f.time[Time.PERIOD] + f.time[Time.REQUEST]
    period = f.time[Time.MEMORY_PERIOD]
    offer(
        m,
        f.ports[p, way, PortField.MASTER],
        way,
        f.parts[p, way, place, Part.ADDRESS],
        0,
        1,
        f.parts[p, way, place, Part.SIZE],
        (ticks + period - 1) // period,
        ((p * 2 + way) << PART_SHIFT) + place,
    )

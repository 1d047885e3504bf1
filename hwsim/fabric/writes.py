"""Writes at an AXI port, compiled: one cycle of its buffer, its address and data channels, and its answers.

A burst is requested when all its data are in the buffer, which ports made by high-level synthesis do unless told
otherwise.
"""

from __future__ import annotations

from hwsim.dram.device.compiled import part
from hwsim.fabric.memory_system import PARTS
from hwsim.fabric.reads import (
    WRITE,
    add_part,
    close_part,
    end_transfer,
    next_address,
    next_burst,
    pass_beats,
    send_part,
)
from hwsim.fabric.state import FifoField, Part, PortField, Time, TransferField


@part
def step_writes(f, m, p):
    """Play a cycle of a port's writes; whether anything happened, or will without an answer of the memory."""
    moved = _answer(f, p)
    moved |= _send(f, m, p)
    moved |= _ask(f, p)
    return _fill(f, p) or moved


@part
def _answer(f, p):
    """The oldest transaction that was sent is answered."""
    if f.ports[p, WRITE, PortField.COUNT] == f.ports[p, WRITE, PortField.UNSENT]:
        return False
    head = f.ports[p, WRITE, PortField.HEAD]
    if f.parts[p, WRITE, head, Part.READY] > f.time[Time.CYCLE]:
        return False
    x, last = f.parts[p, WRITE, head, Part.TRANSFER], f.parts[p, WRITE, head, Part.LAST]
    close_part(f, p, WRITE)
    f.transfers[x, TransferField.OPEN] -= last
    if f.transfers[x, TransferField.OPEN] == 0 and f.transfers[x, TransferField.LEFT] == 0:
        end_transfer(f, x)
    return True


@part
def _send(f, m, p):
    """A beat of the oldest transaction whose data are not wholly sent goes over the narrow port."""
    unsent = f.ports[p, WRITE, PortField.UNSENT]
    if unsent == 0:
        return False
    if f.ports[p, WRITE, PortField.NEXT_BEAT] > f.time[Time.CYCLE]:
        return True
    ratio = f.ports[p, WRITE, PortField.RATIO]
    f.ports[p, WRITE, PortField.NEXT_BEAT] = f.time[Time.CYCLE] + ratio
    f.ports[p, WRITE, PortField.BEATS] += 1
    f.ports[p, WRITE, PortField.BUFFERED] -= 1
    place = (f.ports[p, WRITE, PortField.HEAD] + f.ports[p, WRITE, PortField.COUNT] - unsent) & (PARTS - 1)
    f.parts[p, WRITE, place, Part.BEATS] -= 1
    if f.parts[p, WRITE, place, Part.BEATS] == 0:
        f.ports[p, WRITE, PortField.UNSENT] -= 1
        send_part(f, m, p, WRITE, place, ratio - 1)
    return True


@part
def _ask(f, p):
    """Make a transaction of data in the buffer."""
    if f.ports[p, WRITE, PortField.OUTSTANDING] >= f.ports[p, WRITE, PortField.LIMIT]:
        return False
    x = _next_transfer(f, p)
    if x < 0:
        return False
    if f.ports[p, WRITE, PortField.NEXT_REQUEST] > f.time[Time.CYCLE]:
        return True
    beats = next_burst(f, p, WRITE, x)
    address, parts = next_address(f, p, WRITE, x), 0
    f.transfers[x, TransferField.INSIDE] -= beats
    f.transfers[x, TransferField.OPEN] += 1
    f.ports[p, WRITE, PortField.OUTSTANDING] += 1
    f.ports[p, WRITE, PortField.TRANSACTIONS] += 1
    f.ports[p, WRITE, PortField.LAST] = x
    pass_beats(f, x, beats)
    while beats > 0:
        size = min(beats, f.ports[p, WRITE, PortField.PART_BEATS])
        add_part(f, p, WRITE, x, size, address, beats == size)
        beats -= size
        address += size * f.ports[p, WRITE, PortField.BEAT_BYTES]
        parts += 1
    f.ports[p, WRITE, PortField.UNSENT] += parts
    f.ports[p, WRITE, PortField.NEXT_REQUEST] = f.time[Time.CYCLE] + parts
    return True


@part
def _next_transfer(f, p):
    """Which transfer's turn it is among those whose next burst is in the buffer; they take turns."""
    first, following, last = -1, -1, f.ports[p, WRITE, PortField.LAST]
    for i in range(f.time[Time.TRANSFERS]):
        x = f.active_transfers[i]
        if f.transfers[x, TransferField.PORT] != p or not f.transfers[x, TransferField.WRITE]:
            continue
        left = f.transfers[x, TransferField.LEFT]
        if left > 0 and f.transfers[x, TransferField.INSIDE] >= next_burst(f, p, WRITE, x):
            first = x if first < 0 else first
            following = x if following < 0 and x > last else following
    return following if following >= 0 else first


@part
def _fill(f, p):
    """Each transfer's next item goes from its FIFO into the buffer."""
    moved = False
    for i in range(f.time[Time.TRANSFERS]):
        x = f.active_transfers[i]
        if f.transfers[x, TransferField.PORT] != p or not f.transfers[x, TransferField.WRITE]:
            continue
        fifo = f.transfers[x, TransferField.FIFO]
        if (
            f.transfers[x, TransferField.TO_TAKE] > 0
            and f.fifos[fifo, FifoField.COUNT] > 0
            and f.ports[p, WRITE, PortField.BUFFERED] < f.ports[p, WRITE, PortField.BUFFER]
        ):
            f.fifos[fifo, FifoField.TAKEN] += 1
            f.transfers[x, TransferField.TO_TAKE] -= 1
            f.transfers[x, TransferField.INSIDE] += 1
            f.ports[p, WRITE, PortField.BUFFERED] += 1
            moved = True
    return moved

"""The state of a fabric as named arrays for compiled functions, with the names of their columns."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from hwsim.dram.device.tables import FOREVER
from hwsim.fabric.memory_system import PARTS
from hwsim.fabric.task import Ints

DUES = 1 << 9  # gives of one kind that may be on their way in a loop
PART_SHIFT = PARTS.bit_length() - 1
MANY = 1 << 40  # items that an endless FIFO holds: more than any run takes


class Time(IntEnum):
    """Places in `FabricArrays.time`."""

    CYCLE = 0  # of the fabric; everything before it has happened
    HORIZON = 1  # last cycle up to which all of the memory's answers are known
    PERIOD = 2  # ticks of a cycle
    MEMORY_PERIOD = 3
    REQUEST = 4  # ticks from a master to the controller
    RESPONSE = 5
    DONE = 6  # tasks that have ended and were not collected
    CHANGED = 7  # the lists of what is active must be made anew
    LOOPS = 8  # lengths of these lists
    TRANSFERS = 9
    FIFOS = 10
    WAITING = 11  # transactions of all ports without an answer
    STEPS = 12  # cycles that were looked at


class LoopField(IntEnum):
    ACTIVE = 0  # 1 while it works, 2 when it has ended
    TASK = 1
    LEFT = 2  # iterations to begin
    INTERVAL = 3
    NEXT = 4  # own time at which the next iteration may begin
    OWN = 5  # own time: cycles in which it did not stand still
    START = 6  # cycles before its own time begins
    TAKE = 7  # its first row in `takes`, and the row after its last
    TAKES = 8
    GIVE = 9
    GIVES = 10
    PENDING = 11  # gives on their way
    BEGUN = 12  # cycle in which it was started, in which it ended
    ENDED = 13
    BLOCKED = 14  # FIFO because of which it waits in this cycle, -1 none
    OUTWARD = 15  # whether that one is full


class Access(IntEnum):
    """Columns of `takes` and `gives`."""

    FIFO = 0
    AMOUNT = 1
    SKIP = 2  # iterations before its pattern begins
    PHASE = 3  # place in the period
    PERIOD = 4
    LENGTH = 5
    LEFT = 6  # iterations for which it may still hold
    AFTER = 7  # gives only
    HEAD = 8  # of its row in `dues`, and entries there
    COUNT = 9


class FifoField(IntEnum):
    ACTIVE = 0
    COUNT = 1  # items at the beginning of the cycle
    DEPTH = 2
    PUT = 3  # in this cycle
    TAKEN = 4
    WAITED_FOR_ITEMS = 5  # cycles of the loop that takes
    WAITED_FOR_ROOM = 6  # of the loop that gives


class TransferField(IntEnum):
    ACTIVE = 0
    TASK = 1
    PORT = 2
    WRITE = 3
    FIFO = 4
    CHUNK = 5  # the chunk of the next beat to ask for, and the place in it
    PLACE = 6
    BEATS = 7  # of a chunk
    BURST = 8
    LEFT = 9  # beats to ask for
    INSIDE = 10  # beats in the port's buffer: read and not in the FIFO, or to be written and in no transaction
    OPEN = 11  # beats that are not in the FIFO yet; transactions without an answer
    BEGUN = 12
    ENDED = 13
    TO_TAKE = 14  # writes only: beats to take from the FIFO


class PortField(IntEnum):
    """Columns of `ports`, for a port and direction."""

    OUTSTANDING = 0  # transactions without their last answer
    LIMIT = 1
    BUFFERED = 2  # beats reserved or held in the buffer
    BUFFER = 3
    NEXT_REQUEST = 4  # cycle in which the address channel is free
    NEXT_BEAT = 5  # cycle in which the data channel is free
    HEAD = 6  # of `parts`, and entries there
    COUNT = 7
    LAST = 8  # transfer that was served last
    MASTER = 9  # of the memory
    RATIO = 10  # cycles of a beat on the data channel
    PART_BEATS = 11
    BEAT_BYTES = 12
    BEATS = 13  # that passed
    TRANSACTIONS = 14
    USERS = 15  # transfers that use it now
    UNSENT = 16  # writes only: entries whose data are not wholly sent, the last ones
    BURST = 17  # beats of the master's longest transaction


class Part(IntEnum):
    """Columns of `parts`: a transaction at the narrow port."""

    TRANSFER = 0
    BEATS = 1  # to come, or to be sent
    READY = 2  # cycle from which on its data or its answer is there
    LAST = 3  # whether it ends a transaction of the master
    ADDRESS = 4
    SIZE = 5


class FabricArrays(NamedTuple):
    """Everything but the memory.

    Attributes
    ----------
    time : (len(Time),)
    loops, takes, gives, fifos, transfers : (slots, columns)
    dues : (gives, DUES) own times of a loop at which gives fall due, a ring a row
    chunks : (transfers, most chunks) addresses
    ports : (ports, 2, columns) reads and writes
    parts : (ports, 2, PARTS, columns) rings, in the order of requests
    tasks : (slots,) loops and transfers of a task that have not ended
    done : (slots, 2) tasks that ended, and the cycle after
    active_loops, active_transfers, active_fifos : slots in use
    """

    time: Ints
    loops: Ints
    takes: Ints
    gives: Ints
    dues: Ints
    fifos: Ints
    transfers: Ints
    chunks: Ints
    ports: Ints
    parts: Ints
    tasks: Ints
    done: Ints
    active_loops: Ints
    active_transfers: Ints
    active_fifos: Ints


def new_fabric(ports: int, *, slots: int = 64, chunks: int = 1 << 12) -> FabricArrays:
    """An idle fabric with room for `slots` of each kind."""

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, dtype=np.int64)

    made = FabricArrays(
        time=zeros(len(Time)),
        loops=zeros(slots, len(LoopField)),
        takes=zeros(4 * slots, len(Access)),
        gives=zeros(4 * slots, len(Access)),
        dues=zeros(4 * slots, DUES),
        fifos=zeros(2 * slots, len(FifoField)),
        transfers=zeros(slots, len(TransferField)),
        chunks=zeros(slots, chunks),
        ports=zeros(max(ports, 1), 2, len(PortField)),
        parts=zeros(max(ports, 1), 2, PARTS, len(Part)),
        tasks=zeros(slots),
        done=zeros(slots, 2),
        active_loops=zeros(slots),
        active_transfers=zeros(slots),
        active_fifos=zeros(2 * slots),
    )
    made.parts[..., Part.READY] = FOREVER
    made.time[Time.HORIZON] = -1
    return made

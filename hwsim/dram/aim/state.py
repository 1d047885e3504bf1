"""The state of host and channels as named arrays, for the fast player.

Channels that every instruction so far has treated alike are one class, which is played once.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from hwsim.dram.aim.isa import Ints
from hwsim.dram.aim.ledger import Ledger, new_ledger
from hwsim.dram.aim.tables import AimTables, Rule
from hwsim.dram.device.state import BankState, new_bank_state
from hwsim.dram.device.tables import FOREVER, NEVER

# Ordinary requests that wait: reads, writes, and those whose row was opened for them. numpy's integers, as a function
# that is called with Python's is compiled once more for each value.
READS, WRITES, OPENED = QUEUES = np.arange(3)


class Host(IntEnum):
    """Places in the host's state."""

    CLOCK = 0  # the cycle in which the next instruction is decoded
    FUNCTION = 1  # value of the register that chooses an activation function
    CLASSES = 2


class Control(IntEnum):
    """Columns of `Channels.control`."""

    MEMBERS = 0  # channels of the class, as bits of a mask
    NEXT = 1  # ordinary requests are served up to this cycle
    REGISTER_MODE = 2
    WRITES_FIRST = 3
    LAST_LEFT = 4  # when the last AiM request left
    LAST_ANSWER = 5
    LAST_FINISH = 6  # of what is not answered
    OLDEST = 7  # place in `Channels.left`
    REFRESHES = 8
    DUE = 9  # when the next refresh falls due


class Request(IntEnum):
    """Columns of `Channels.waiting`."""

    BANK = 0
    ROW = 1
    ARRIVAL = 2
    COMMAND = 3
    READ = 4  # whether it reads


class Channels(NamedTuple):
    """Classes of channels; the first axis of every array is the class.

    Attributes
    ----------
    control : (classes, len(Control))
    left : (classes, queue depth) when the last AiM requests left, a ring
    lengths : (classes, len(QUEUES)) how many ordinary requests wait
    waiting : (classes, len(QUEUES), places, len(Request))
    """

    control: Ints
    left: Ints
    lengths: Ints
    waiting: Ints
    banks: BankState
    ledger: Ledger


def new_channels(tables: AimTables, classes: int) -> Channels:
    """Idle channels before cycle 1, with all banks closed."""
    control = np.zeros((classes, len(Control)), dtype=np.int64)
    control[:, Control.NEXT] = 1
    control[:, [Control.LAST_LEFT, Control.LAST_ANSWER, Control.LAST_FINISH]] = NEVER
    interval, turns, group = (int(tables.refresh[rule]) for rule in (Rule.INTERVAL, Rule.TURNS, Rule.GROUP))
    control[:, Control.DUE] = group * interval // turns if interval else FOREVER
    places = max(tables.queue_depth, tables.device.nodes.shape[1])  # as many rows are opened as there are banks
    return Channels(
        control=control,
        left=np.full((classes, tables.queue_depth), NEVER, dtype=np.int64),
        lengths=np.zeros((classes, len(QUEUES)), dtype=np.int64),
        waiting=np.zeros((classes, len(QUEUES), places, len(Request)), dtype=np.int64),
        banks=new_bank_state(tables.device, classes),
        ledger=new_ledger(classes, len(tables.device.commands)),
    )


def new_device(tables: AimTables, channels: int) -> tuple[Channels, Ints]:
    """Channels before cycle 1, all in the first class, and the host."""
    classes = new_channels(tables, channels)
    classes.control[0, Control.MEMBERS] = (1 << channels) - 1
    return classes, new_host(classes=1)


def new_host(*, classes: int, function: int = 0) -> Ints:
    """The host before cycle 1."""
    host = np.zeros(len(Host), dtype=np.int64)
    host[Host.CLOCK], host[Host.FUNCTION], host[Host.CLASSES] = 1, function, classes
    return host


def map_arrays(work: Callable[[Ints], Ints], channels: Channels) -> Channels:
    """Channels made of what `work` makes of each array."""
    return Channels(
        control=work(channels.control),
        left=work(channels.left),
        lengths=work(channels.lengths),
        waiting=work(channels.waiting),
        banks=BankState(*map(work, channels.banks)),
        ledger=Ledger(*map(work, channels.ledger)),
    )

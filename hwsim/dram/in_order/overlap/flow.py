"""A program while it is played: what is planned, and how far its streams are."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from hwsim.dram.device.tables import Ints
from hwsim.dram.in_order.overlap.plan import Plan
from hwsim.dram.in_order.overlap.streams import Streams


class At(IntEnum):
    """Where a program is: the numbers of the next issues, and what happened since the last access."""

    ACCESS = 0
    FILL = 1
    DRAIN = 2
    SEGMENT = 3
    POSITION = 4  # in the segment
    OPENED = 5  # a row, for the next access
    REFRESHED = 6
    TRANSFERRED = 7


class Flow(NamedTuple):
    """One program on one channel.

    Attributes
    ----------
    plan : of this program
    streams : its commands
    at : (len(At),)
    access_at, fill_at : (accesses,), (fills,) cycles in which they were issued
    drained : (drains,) cycles in which they are completed
    row_base : added to every row
    start : no command before this cycle
    ready : no data before this cycle
    """

    plan: Plan
    streams: Streams
    at: Ints
    access_at: Ints
    fill_at: Ints
    drained: Ints
    row_base: int
    start: int
    ready: int

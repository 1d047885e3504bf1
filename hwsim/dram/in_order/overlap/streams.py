"""The three streams of a program, as the compiled player reads them."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from hwsim.dram.device.standard import Standard
from hwsim.dram.device.tables import Fact
from hwsim.dram.in_order.overlap.dataflow import StreamCommands
from hwsim.dram.in_order.rules import Rules


class Stream(IntEnum):
    """Streams, in the order in which they win ties."""

    ACCESS = 0
    DRAIN = 1
    FILL = 2
    NOTHING = 3


class Data(IntEnum):
    """Columns of `Channels.data_issues`: commands whose data later programs look up."""

    FILL = 0
    COMPUTE = 1


class Streams(NamedTuple):
    """Commands of the streams and the waits between those that touch the same data.

    Attributes
    ----------
    fill, drain, compute : numbers of the commands
    fill_to_compute, compute_to_fill : cycles
    accumulators : results that a bank holds
    turnaround : computing accesses that fit between a fill and the next drain
    keeps_drains_out : whether accesses at their smallest spacing leave no cycle in which a drain would go first
    """

    fill: int
    drain: int
    compute: int
    fill_to_compute: int
    compute_to_fill: int
    accumulators: int
    turnaround: int
    keeps_drains_out: int


def compile_streams(standard: Standard, rules: Rules, accumulators: int) -> Streams:
    """Name a standard's streams by the numbers of its commands.

    Raises
    ------
    DramError : the standard has no streams that could overlap
    """
    names, ids = StreamCommands.of(standard), standard.command_ids
    waits = [c.latency for c in standard.constraints if (c.preceding, c.following) == (names.compute, names.drain)]
    spacing = int(rules.tables.commands[ids[names.compute], Fact.SPACING])
    return Streams(
        fill=ids[names.fill],
        drain=ids[names.drain],
        compute=ids[names.compute],
        fill_to_compute=names.fill_to_compute,
        compute_to_fill=names.compute_to_fill,
        accumulators=accumulators,
        turnaround=names.turnaround,
        keeps_drains_out=int(max(waits, default=0) >= spacing),
    )

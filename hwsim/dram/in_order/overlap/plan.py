"""Which issue of a program must precede which of another stream: `dataflow.py` as arrays, for a whole package.

A plan depends on the programs alone, not on rows, state or time, so that it serves all their plays.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.standard import Standard
from hwsim.dram.device.tables import Ints
from hwsim.dram.in_order.overlap.streams import Streams
from hwsim.dram.in_order.package import PackageProgram
from hwsim.dram.in_order.program import Field
from hwsim.errors import DramError

NO_ISSUE = -1
OUTSIDE = -2  # instead of a fill: the data come from outside, with the access


class Part(IntEnum):
    """Columns of `Plan.offsets`."""

    SEGMENT = 0
    ACCESS = 1
    FILL = 2
    DRAIN = 3


class Segment(IntEnum):
    """Columns of a segment, which is accesses of one command in one row."""

    COMMAND = 0
    BANK = 1
    ROW = 2
    COLUMN = 3
    COLUMNS = 4
    ISSUES = 5


class Plan(NamedTuple):
    """The programs of a package, one after the other; issues are numbered within their stream and program.

    Attributes
    ----------
    offsets : (programs + 1, len(Part)) where the parts of each program begin
    segments : (n, len(Segment))
    access_fill : (accesses,) the fill that goes before an access, NO_ISSUE or OUTSIDE
    access_drain : (accesses,) the drain that goes before an access, or NO_ISSUE
    fill_access : (fills,) the last access that reads what a fill overwrites, or NO_ISSUE
    fill_drain : (fills,) the last drain that goes before the first fill of the request, or NO_ISSUE
    fill_begins : (fills,) whether a fill is the first of its request
    drain_access : (drains,) the access that completes the result of a drain, or NO_ISSUE
    """

    offsets: Ints
    segments: Ints
    access_fill: Ints
    access_drain: Ints
    fill_access: Ints
    fill_drain: Ints
    fill_begins: NDArray[np.bool_]
    drain_access: Ints


def new_plan(program: PackageProgram, standard: Standard, streams: Streams) -> Plan:
    """A plan of the right size, which knows no order yet.

    Raises
    ------
    DramError : a command that belongs to no stream
    """
    offsets = _offsets(program, standard, streams)
    segments, accesses, fills, drains = offsets[-1].tolist()
    return Plan(
        offsets=offsets,
        segments=np.empty((segments, len(Segment)), dtype=np.int64),
        access_fill=np.full(accesses, NO_ISSUE),
        access_drain=np.full(accesses, NO_ISSUE),
        fill_access=np.full(fills, NO_ISSUE),
        fill_drain=np.full(fills, NO_ISSUE),
        fill_begins=np.zeros(fills, dtype=np.bool_),
        drain_access=np.full(drains, NO_ISSUE),
    )


def _offsets(program: PackageProgram, standard: Standard, streams: Streams) -> Ints:
    """(programs + 1, len(Part)) where each program's segments, accesses, fills and drains begin."""
    command, _, _, column, count, repeat = program.requests.T
    fills, drains = command == streams.fill, command == streams.drain
    accesses = ~(fills | drains)
    _refuse_others(standard, command[accesses & (count > 0)])
    rows = np.where(accesses & (count > 0), (column + count - 1) // standard.columns + 1, 0)
    sizes = np.stack([rows, *(np.where(kind, count * repeat, 0) for kind in (accesses, fills, drains))], axis=1)
    ends = np.concatenate([np.zeros((1, len(Part)), dtype=np.int64), np.cumsum(sizes, axis=0)])
    offsets: Ints = ends[program.offsets]
    return offsets


def _refuse_others(standard: Standard, commands: Ints) -> None:
    columns = [index for name, index in standard.command_ids.items() if standard.commands[name].kind == "column"]
    others = commands[~np.isin(commands, columns)]
    if len(others):
        raise DramError(f"{list(standard.commands)[others[0]]} belongs to no stream")


class Scratch(NamedTuple):
    """What planning notes down on the way.

    Attributes
    ----------
    writer, reader : (columns of the buffer,) last fill and last access of each
    groups : (requests + 1, len(Group)) see `planning.py`
    drained : (results,) the last drain of each
    """

    writer: Ints
    reader: Ints
    groups: Ints
    drained: Ints


class Group(IntEnum):
    """What planning knows of a request's group, which lies between two requests to drain."""

    FIRST = 0  # accesses of the group before this request
    ACCESSES = 1
    RESULTS = 2
    BASE = 3  # results before the group
    SHARED = 4  # whether all results become complete together


def new_scratch(program: PackageProgram, streams: Streams) -> Scratch:
    """Room to plan each of the programs, one after the other."""
    command, count, repeat = (program.requests[:, field] for field in (Field.COMMAND, Field.COUNT, Field.REPEAT))
    columns = int((count * repeat)[command == streams.fill].max(initial=0))
    results = int(count[command == streams.drain].sum())
    return Scratch(
        writer=np.empty(columns, dtype=np.int64),
        reader=np.empty(columns, dtype=np.int64),
        groups=np.empty((len(count) + 1, len(Group)), dtype=np.int64),
        drained=np.empty(results, dtype=np.int64),
    )

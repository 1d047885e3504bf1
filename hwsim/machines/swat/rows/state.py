"""The arrays of the compiled player: the stages, a head's rows, the streams to memory, and what is counted."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from hwsim.machines.swat.rows.head import Head
from hwsim.mapping.cores.plan import Ints

NONE = -1


class Stream(IntEnum):
    """What a pipeline reads and writes, each by an engine of its own; V is as K, with the same bursts and times.

    Each has a channel of the same number. But partial rows are read where the pass before wrote them, so from pass to
    pass the last two change places.
    """

    KEYS = 0
    QUERIES = 1
    CARRIED = 2
    RESULTS = 3


class At(IntEnum):
    """Columns of `State.streams`."""

    JOB = 0  # the next burst: whose head (of CARRIED: which pass), and which of its bursts
    BURST = 1  # of RESULTS: bursts that were written, over all heads
    USED = 2  # rows of the stream that were consumed, over all heads
    ROOM = 3  # rows that its buffer holds


class Channel(IntEnum):
    """Columns of `State.channels`."""

    FREE = 0  # tick from which the stream's engine can ask for the next burst
    REFRESHED = 1  # cycle in which the last refresh was issued that was late on the channel of that number


class Time(IntEnum):
    """Entries of `State.clock`."""

    ROWS = 0  # rows before the pass that is played
    SWAPPED = 1  # 1 if results go to the channel that partial rows come from in the last pass


class Count(IntEnum):
    """Rows of `State.counts`, in ticks."""

    MEMORY = 0  # LOAD waits for data
    ROOM = 1  # DIV&OUT waits for room
    PROLOGUE = 2  # loads between passes
    DRAIN = 3  # from the last LOAD of a pass to the end of its last row


class Timing(NamedTuple):
    """How long everything takes, in ticks, and how rows advance.

    Attributes
    ----------
    stages : (stages,) duration of a row; of LOAD and DIV&OUT the parts below decide
    before, after : (stages, 2) stages that a row must have passed, and those that it passes next; NONE where fewer
    depth : (stages,) number of the step in which a row is in the stage, in lockstep
    times, late, variant : (sorts of bursts, phases) of `BurstTimes`: cycles, late, kind
    scalars : by `Scalar`
    """

    stages: Ints
    before: Ints
    after: Ints
    depth: Ints
    times: Ints
    late: Ints
    variant: Ints
    scalars: Ints


class Scalar(IntEnum):
    """Entries of `Timing.scalars`."""

    LOCKSTEP = 0
    LOADERS = 1
    ROW = 2  # ticks of a row of K at a loader
    CARRIED_ROW = 3  # of a partial row at LOAD, beside
    LOAD_LATENCY = 4
    DIVIDED = 5
    PARTIAL = 6
    REQUEST = 7
    RESPONSE = 8
    CYCLE = 9  # of the fabric
    MEMORY_CYCLE = 10
    PERIOD = 11  # cycles of the memory from refresh to refresh
    QUIET = 12
    RING = 13
    INTERVAL = 14  # of the slowest stage


class Rows(NamedTuple):
    """The arrays of a `Head`; sorts of bursts are rows of `Timing.times`."""

    first: Ints
    before: Ints
    units: Ints
    divided: Ints
    key_kind: Ints
    key_ends: Ints
    key_burst: Ints
    query_kind: Ints
    query_ends: Ints
    query_burst: Ints
    result_kind: Ints
    result_burst: Ints
    carried_kind: Ints
    carried_ends: Ints
    carried_first: Ints
    carries: Ints


class State(NamedTuple):
    """What changes.

    Attributes
    ----------
    streams, channels : by `Stream`
    arrivals : (streams, ring) ticks in which bursts were answered
    ends : (stages, 2) of the row two before and of the row before
    busy : (stages,) ticks
    counts : by `Count`
    bursts : (streams, sorts of bursts, variants) number of bursts
    log : (rows, stages, 2) begin and end of each stage, for the first rows
    clock : by `Time`
    """

    streams: Ints
    channels: Ints
    arrivals: Ints
    ends: Ints
    busy: Ints
    counts: Ints
    bursts: Ints
    log: Ints
    clock: Ints


def rows_of(head: Head, number: dict[tuple[bool, int, int], int]) -> Rows:
    """A head's arrays; `number` gives the row of the table of (write, offset, size)."""

    def named(kinds: tuple[tuple[int, int], ...], kind: Ints, write: bool) -> Ints:
        rows = np.array([number[write, offset, size] for offset, size in kinds], dtype=np.int64)
        return rows[kind] if len(kind) else kind

    keys, queries, results, carried = head.keys, head.queries, head.results, head.carried
    return Rows(
        first=head.first,
        before=head.before,
        units=np.ascontiguousarray(head.units),
        divided=head.divided,
        key_kind=named(keys.kinds, keys.kind, False),
        key_ends=keys.ends,
        key_burst=keys.burst_of,
        query_kind=named(queries.kinds, queries.kind, False),
        query_ends=queries.ends,
        query_burst=queries.burst_of,
        result_kind=named(results.kinds, results.kind, True),
        result_burst=results.burst_of,
        carried_kind=named(carried.kinds, carried.kind, False),
        carried_ends=carried.ends,
        carried_first=head.carried_first,
        carries=head.carries,
    )

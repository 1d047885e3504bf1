"""A pipeline's heads, played: the compiled player as an object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hwsim.dram.native.function import CompiledFunction
from hwsim.dram.random_access.bursts import BurstTimes, burst_times
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.rows.bursts import Bursts
from hwsim.machines.swat.rows.head import Head
from hwsim.machines.swat.rows.state import (
    NONE,
    At,
    Channel,
    Count,
    Rows,
    Scalar,
    State,
    Stream,
    Time,
    Timing,
    rows_of,
)
from hwsim.machines.swat.stages import interval_of, stages_of
from hwsim.mapping.cores.plan import Ints

PLAY = CompiledFunction("hwsim.machines.swat.rows.kernel", "play")
Sort = tuple[bool, int, int]  # of a burst: write, offset, size


@dataclass(frozen=True, kw_only=True, eq=False)
class Heads:
    """Heads of one plan, one after the other on a pipeline: all like `each` but for the last one."""

    each: Head
    last: Head
    count: int


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of playing some heads, in ticks.

    Attributes
    ----------
    begun : when the first rows could be loaded
    ended : when the last row had passed the last stage
    written : when the memory held it
    busy : by stage, without waits
    memory_wait, room_wait : of LOAD for memory, and of DIV&OUT for room
    prologue : loads between passes, with their waits
    drain : from the last LOAD of each pass to the end of its last row
    bursts : that were played; those of V are as those of K, and do not count
    commands : of all channels of the pipeline, without refreshes
    read_bytes : of its channels, by name; those of bursts that the buffers held at the start are among them
    written_bytes : results, and partial rows
    log : (rows, stages, 2) begin and end of each stage, of the first rows
    """

    begun: int
    ended: int
    written: int
    busy: Mapping[str, int]
    memory_wait: int
    room_wait: int
    prologue: int
    drain: int
    bursts: int
    commands: Mapping[str, int]
    read_bytes: Mapping[str, int]
    written_bytes: int
    log: Ints = field(repr=False)


class RowPlayer:
    """A pipeline with its engines and channels, whose state is kept from operator to operator of a run.

    Parameters
    ----------
    channels : state of its channels by `Channel`, of a player for heads of another size on the same pipeline
    """

    def __init__(self, design: Design, channels: Ints | None = None) -> None:
        self.design = design
        self.spec = design.spec
        self.stages = stages_of(design)
        self.channels = np.zeros((len(Stream), len(Channel)), dtype=np.int64) if channels is None else channels

    def play(self, heads: Heads, start: int, *, keep: int = 0) -> Played:
        """Play heads from tick `start` on, an edge of the fabric's clock.

        With a hidden prologue the buffers are full then, and the cores hold what the first row needs.

        Parameters
        ----------
        keep : first rows whose times are kept
        """
        sorts, tables = self._tables(heads)
        number = {sort: i for i, sort in enumerate(sorts)}
        each, last = rows_of(heads.each, number), rows_of(heads.last, number)
        state = self._state(heads, tables, start, keep)
        if self.spec.prologue == "hidden":
            self._fill(each, last, heads.count, state, start, tables)
        ended = PLAY(self._timing(tables), each, last, state, heads.count, start)
        self.channels[:] = state.channels
        return self._played(tables, sorts, state, start, ended)

    def _tables(self, heads: Heads) -> tuple[list[Sort], list[BurstTimes]]:
        """The sorts of bursts of some heads, and their times."""
        sorts: dict[Sort, None] = {}
        for head in (heads.each, heads.last):
            for bursts, write in _streams(head):
                sorts |= {(write, offset, size): None for offset, size in bursts.kinds}
        found = list(sorts)
        return found, [burst_times(self.spec.channel, write=w, offset=o, size=s) for w, o, s in found]

    def _timing(self, tables: list[BurstTimes]) -> Timing:
        design, spec = self.design, self.spec
        ticks = spec.time_base.clocks["fabric"].ticks
        names = [stage.name for stage in self.stages]
        after: dict[str, list[int]] = {name: [] for name in names}
        for stage in self.stages:
            for before in stage.after:
                after[before].append(names.index(stage.name))
        values = {
            Scalar.LOCKSTEP: int(spec.mode == "lockstep"),
            Scalar.LOADERS: spec.loaders,
            Scalar.ROW: ticks(design.scheduler.interval * design.head_dim),
            Scalar.CARRIED_ROW: ticks(design.scheduler.interval * (design.head_dim + spec.extra)),
            Scalar.LOAD_LATENCY: ticks(design.scheduler.latency),
            Scalar.DIVIDED: ticks(design.divider.cycles("divided")),
            Scalar.PARTIAL: ticks(design.divider.cycles("partial")),
            Scalar.REQUEST: spec.dma.request,
            Scalar.RESPONSE: spec.dma.back,
            Scalar.CYCLE: spec.dma.fabric_period,
            Scalar.MEMORY_CYCLE: spec.dma.memory_period,
            Scalar.PERIOD: spec.channel.period,
            Scalar.QUIET: spec.channel.quiet,
            Scalar.RING: self._ring,
            Scalar.INTERVAL: ticks(interval_of(self.stages)),
        }
        return Timing(
            stages=np.array([ticks(stage.cycles) for stage in self.stages], dtype=np.int64),
            before=_pairs([[names.index(name) for name in stage.after] for stage in self.stages]),
            after=_pairs(list(after.values())),
            depth=np.array([stage.depth for stage in self.stages], dtype=np.int64),
            times=_stacked([each.cycles for each in tables]),
            late=_stacked([each.late for each in tables]),
            variant=_stacked([each.kind for each in tables]),
            scalars=np.array([values[name] for name in Scalar], dtype=np.int64),
        )

    def _state(self, heads: Heads, tables: list[BurstTimes], start: int, keep: int) -> State:
        streams = np.zeros((len(Stream), len(At)), dtype=np.int64)
        streams[:, At.ROOM] = self._rooms
        rows = min(keep, heads.count * len(heads.each.units))
        return State(
            streams=streams,
            channels=self.channels.copy(),
            arrivals=np.full((len(Stream), self._ring), start, dtype=np.int64),
            ends=np.zeros((len(self.stages), 2), dtype=np.int64),
            busy=np.zeros(len(self.stages), dtype=np.int64),
            counts=np.zeros(len(Count), dtype=np.int64),
            bursts=np.zeros((len(Stream), len(tables), max(len(each.kinds) for each in tables)), dtype=np.int64),
            log=np.zeros((rows, len(self.stages), 2), dtype=np.int64),
            clock=np.zeros(len(Time), dtype=np.int64),
        )

    @property
    def _rooms(self) -> list[int]:
        """Rows that the buffer of each stream holds."""
        layout = self.design.layout
        return [layout.key_room, layout.query_room, layout.carried_room, 0]

    @property
    def _ring(self) -> int:
        """At most so many bursts, one after the other, hold rows that are not loaded.

        The rows of a burst come within `ahead` rows of the stream, so all rows that come earlier than that before the
        next one belong to bursts that are used up.
        """
        return max(room + self.design.layout.ahead for room in self._rooms)

    def _fill(self, each: Rows, last: Rows, count: int, state: State, start: int, tables: list[BurstTimes]) -> None:
        """Have the buffers full at the start, by bursts before it that no refresh was near."""
        for stream in (Stream.KEYS, Stream.QUERIES):
            room, base = state.streams[stream, At.ROOM], 0
            for job in range(count):
                rows = each if job < count - 1 else last
                kinds, ends = (
                    (rows.key_kind, rows.key_ends) if stream == Stream.KEYS else (rows.query_kind, rows.query_ends)
                )
                fitting = int(np.searchsorted(ends, room - base, side="right"))
                for kind in kinds[:fitting].tolist():
                    state.bursts[stream, kind, tables[kind].kind[tables[kind].quiet]] += 1
                state.streams[stream, At.JOB], state.streams[stream, At.BURST] = job, fitting
                if fitting < len(kinds):
                    break
                base += int(ends[-1]) if len(ends) else 0

    def _played(self, tables: list[BurstTimes], sorts: list[Sort], state: State, start: int, ended: int) -> Played:
        commands: Counter[str] = Counter()
        moved = dict.fromkeys(Stream, 0)
        for stream, row, variant in zip(*(index.tolist() for index in np.nonzero(state.bursts))):
            count = int(state.bursts[stream, row, variant])
            moved[Stream(stream)] += count * sorts[row][2]
            channels = 2 if stream == Stream.KEYS else 1  # that of V does the same
            for name, per_burst in tables[row].kinds[variant].items():
                commands[name] += channels * per_burst * count
        read = {
            "q": moved[Stream.QUERIES],
            "k": moved[Stream.KEYS],
            "v": moved[Stream.KEYS],
            "carry": moved[Stream.CARRIED],
        }
        return Played(
            begun=start,
            ended=ended,
            written=max(ended, int(state.channels[Stream.RESULTS, Channel.FREE])),
            busy={stage.name: int(busy) for stage, busy in zip(self.stages, state.busy)},
            memory_wait=int(state.counts[Count.MEMORY]),
            room_wait=int(state.counts[Count.ROOM]),
            prologue=int(state.counts[Count.PROLOGUE]),
            drain=int(state.counts[Count.DRAIN]),
            bursts=int(state.bursts.sum()),
            commands=commands,
            read_bytes=read,
            written_bytes=moved[Stream.RESULTS],
            log=state.log,
        )


def _streams(head: Head) -> list[tuple[Bursts, bool]]:
    return [(head.keys, False), (head.queries, False), (head.carried, False), (head.results, True)]


def _pairs(lists: list[list[int]]) -> Ints:
    """(n, 2), NONE where there are fewer than two."""
    return np.array([[*found, NONE, NONE][:2] for found in lists], dtype=np.int64)


def _stacked(arrays: list[Ints]) -> Ints:
    return np.ascontiguousarray(np.stack(arrays))

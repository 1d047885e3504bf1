"""A timeline as a trace file for Perfetto (ui.perfetto.dev), in its protobuf format.

Perfetto counts whole nanoseconds, and ticks may be finer. So that no two ticks share a timestamp, time is stretched
by a power of ten where needed; the name of the process tells. Spans also carry their cycles as arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from math import gcd
from pathlib import Path
from typing import Any, BinaryIO

from hwsim.engine.timeline import Counter, Span, Timeline, Track
from hwsim.report.write import whole_file

PROCESS = 1  # Perfetto groups tracks by process; a run is one
SEQUENCE = 1  # all packets come from one writer
# Powers of ten tried beyond the first that tells ticks apart, for one that makes them whole nanoseconds.
EXACT_TRIES = 3


def write_trace(path: Path, timeline: Timeline) -> None:
    """Write a timeline to a file, whole or not at all.

    Raises
    ------
    OutputError : the file cannot be written
    """
    with whole_file(path) as file:
        _Writer(file, timeline).write()


def stretch(ticks_per_second: int) -> int:
    """The power of ten by which a trace stretches time.

    It tells all ticks apart, and, where a power close by does, makes each a whole number of nanoseconds.
    """
    first = 1
    while first * 10**9 < ticks_per_second:
        first *= 10
    tries = [first * 10**more for more in range(EXACT_TRIES)]
    return next((power for power in tries if power * 10**9 % ticks_per_second == 0), first)


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """From ticks to timestamps; rising, so that order and gaps survive where a tick is no whole number."""

    scale: int
    ticks_per_second: int

    @cached_property
    def _ratio(self) -> tuple[int, int]:
        shared = gcd(self.scale * 10**9, self.ticks_per_second)
        return self.scale * 10**9 // shared, self.ticks_per_second // shared

    def at(self, tick: int) -> int:
        numerator, denominator = self._ratio
        return tick * numerator // denominator


class _Writer:
    def __init__(self, file: BinaryIO, timeline: Timeline) -> None:
        # heavy, and only a trace needs it
        from perfetto.protos.perfetto.trace import perfetto_trace_pb2

        self._pb = perfetto_trace_pb2
        self._file = file
        self._timeline = timeline
        self._axis = _Axis(scale=stretch(timeline.ticks_per_second), ticks_per_second=timeline.ticks_per_second)
        self._uuids = count(1)

    def write(self) -> None:
        process = next(self._uuids)
        packet = self._packet()
        packet.track_descriptor.uuid = process
        packet.track_descriptor.process.pid = PROCESS
        packet.track_descriptor.process.process_name = self._title()
        packet.track_descriptor.child_ordering = self._pb.TrackDescriptor.EXPLICIT
        self._emit(packet)
        for rank, track in enumerate(self._timeline.tracks):
            self._track(track, process, rank)

    def _title(self) -> str:
        scale = self._axis.scale
        return self._timeline.name + (f" (1 ns takes {scale} ns here)" if scale > 1 else "")

    def _track(self, track: Track, parent: int, rank: int) -> None:
        uuid = self._describe(track.name, parent, rank)
        for span in track.spans:
            self._span(span, track, uuid)
        for place, counter in enumerate(track.counters):
            self._counter(counter, uuid, place)
        for place, child in enumerate(track.children, start=len(track.counters)):
            self._track(child, uuid, place)

    def _describe(self, name: str, parent: int, rank: int, unit: str | None = None) -> int:
        uuid = next(self._uuids)
        packet = self._packet()
        descriptor = packet.track_descriptor
        descriptor.uuid, descriptor.parent_uuid, descriptor.name = uuid, parent, name
        descriptor.sibling_order_rank = rank
        descriptor.child_ordering = self._pb.TrackDescriptor.EXPLICIT
        if unit is not None:
            descriptor.counter.unit_name = unit
        self._emit(packet)
        return uuid

    def _span(self, span: Span, track: Track, uuid: int) -> None:
        begin = self._packet()
        begin.timestamp = self._axis.at(span.start)
        event = begin.track_event
        event.type, event.track_uuid = self._pb.TrackEvent.TYPE_SLICE_BEGIN, uuid
        event.name = span.name
        period = track.clock.period_ticks
        cycles = {"start_cycle": span.start // period, "cycles": (span.end - span.start) // period}
        for key, value in {**span.arguments, **cycles}.items():
            annotation = event.debug_annotations.add(name=key)
            if isinstance(value, str):
                annotation.string_value = value
            else:
                annotation.int_value = value
        self._emit(begin)
        end = self._packet()
        end.timestamp = self._axis.at(span.end)
        end.track_event.type, end.track_event.track_uuid = self._pb.TrackEvent.TYPE_SLICE_END, uuid
        self._emit(end)

    def _counter(self, counter: Counter, parent: int, rank: int) -> None:
        uuid = self._describe(counter.name, parent, rank, counter.unit)
        trace = self._pb.Trace()
        packet = trace.packet.add(trusted_packet_sequence_id=SEQUENCE)
        event = packet.track_event
        event.type, event.track_uuid = self._pb.TrackEvent.TYPE_COUNTER, uuid
        for tick, value in _points(counter):  # most of the file: the one packet is filled anew each time
            packet.timestamp = self._axis.at(tick)
            event.counter_value = value
            self._file.write(trace.SerializeToString())

    def _packet(self) -> Any:
        return self._pb.TracePacket(trusted_packet_sequence_id=SEQUENCE)

    def _emit(self, packet: Any) -> None:
        # a trace file is a Trace message, and messages one after the other are their union
        self._file.write(self._pb.Trace(packet=[packet]).SerializeToString())


def _points(counter: Counter) -> Iterator[tuple[int, int]]:
    return zip(counter.ticks.tolist(), counter.values.tolist(), strict=True)

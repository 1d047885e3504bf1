"""Traces read back from their bytes: the cycles are those of the report."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

from hwsim import load_workload, run
from hwsim.engine.clock import TimeBase
from hwsim.engine.timeline import Counter, Span, Timeline, Track
from hwsim.errors import OutputError, UserError
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.report.perfetto import stretch, write_trace
from hwsim.report.schema import Report
from tests.mapping.workloads import tiny


@dataclass
class Read:
    """One track as a reader of the file sees it; times are timestamps."""

    slices: list[tuple[int, int, str, dict[str, Any]]] = field(default_factory=list)
    values: list[tuple[int, int]] = field(default_factory=list)


def read(file: Path) -> dict[str, Read]:
    """Tracks by their path below the process."""
    trace = pb.Trace.FromString(file.read_bytes())
    names: dict[int, str] = {}
    tracks: dict[str, Read] = defaultdict(Read)
    begun: dict[int, Any] = {}
    for packet in trace.packet:
        if packet.HasField("track_descriptor"):
            about = packet.track_descriptor
            names[about.uuid] = f"{names[about.parent_uuid]}/{about.name}".strip("/") if about.parent_uuid else ""
            tracks[names[about.uuid]]  # also those on which nothing happens
            continue
        event = packet.track_event
        track = tracks[names[event.track_uuid]]
        if event.type == pb.TrackEvent.TYPE_COUNTER:
            track.values.append((packet.timestamp, event.counter_value))
        elif event.type == pb.TrackEvent.TYPE_SLICE_BEGIN:
            assert event.track_uuid not in begun, "a slice begins inside another"
            begun[event.track_uuid] = packet
        else:
            first = begun.pop(event.track_uuid)
            known = {a.name: getattr(a, a.WhichOneof("value")) for a in first.track_event.debug_annotations}
            track.slices.append((first.timestamp, packet.timestamp, first.track_event.name, known))
    assert not begun, "a slice does not end"
    return tracks


def traced(tmp_path: Path, workload: DecoderWorkload, **options: Any) -> tuple[Report, dict[str, Read]]:
    file = tmp_path / "run.pftrace"
    report = run(workload, trace=file, **options)
    return report, read(file)


def test_a_trace_of_all_tokens_has_the_cycles_of_the_report(tmp_path: Path) -> None:
    report, tracks = traced(tmp_path, load_workload("gpt2", tokens=2))
    units = {unit.name: unit for unit in report.units}
    # the machine ticks at its DRAM's 2 GHz; a tick is 5 timestamps, an ASIC's and the report's cycle 10
    for name in ("pim", "asic", "host"):
        shown = sum(end - start for start, end, _, _ in tracks[name].slices)
        assert -(-shown // 10) == units[name].busy_cycles
    assert sum(known["cycles"] for *_, known in tracks["asic"].slices) == units["asic"].busy_cycles
    every = [piece for name in ("pim", "asic", "host") for piece in tracks[name].slices]
    assert -(-max(end for _, end, _, _ in every) // 10) == report.cycles
    kinds: dict[str, int] = defaultdict(int)
    for start, end, _, known in every:
        kinds[known["kind"]] += end - start
    assert {kind: -(-shown // 10) for kind, shown in kinds.items()} == {k.kind: k.cycles for k in report.breakdown}
    assert len(every) == report.instructions


def test_slices_tell_their_operator_and_layer(tmp_path: Path) -> None:
    _, tracks = traced(tmp_path, tiny(layers=2, tokens=1))
    arguments = {name: known for _, _, name, known in tracks["pim"].slices + tracks["asic"].slices}
    shown = {name: (known["operator"], known["kind"], known["layer"]) for name, known in arguments.items()}
    assert shown["l1.ffn1"] == ("l1.ffn1", "linear", 1)
    assert shown["l1.ffn1.sum"] == ("l1.ffn1", "linear", 1)
    assert shown["l0.kv.k"] == ("l0.kv", "kv_cache", 0)
    assert shown["l0.attention.softmax"] == ("l0.attention.softmax", "softmax", 0)
    assert arguments["l0.norm1"] == {
        "kind": "norm", "operator": "l0.norm1", "layer": 0, "start_cycle": 0, "cycles": 26,
    }  # fmt: skip


def test_channels_play_their_parts_within_the_instructions_of_the_package(tmp_path: Path) -> None:
    report, tracks = traced(tmp_path, tiny(tokens=2), settings={"channels": 3, "timing.tREFI_ns": 900})
    channels = [tracks[f"pim/channel {number}"] for number in range(3)]
    latest: dict[tuple[int, str], int] = defaultdict(int)
    for channel in channels:
        for start, end, name, _ in channel.slices:
            latest[start, name] = max(latest[start, name], end)
    assert latest == {(start, name): end for start, end, name, _ in tracks["pim"].slices}
    for number in range(3):
        values = dict(tracks[f"pim/channel {number}/open rows"].values)
        assert set(values.values()) <= set(range(17))
        assert tracks[f"pim/channel {number}/bytes in flight"].values[-1][1] == 0
    # every activate of all banks opens 16 rows at once, in each channel
    opened = sum(
        after - before == 16
        for number in range(3)
        for (_, before), (_, after) in pairwise(tracks[f"pim/channel {number}/open rows"].values)
    )
    assert opened == report.dram.commands["ACT16"]


@pytest.mark.parametrize("clock_hz", [1_000_000_000, 300_000_000, 3_000_000_000])
def test_slices_neither_overlap_nor_vanish_whatever_the_clocks(tmp_path: Path, clock_hz: int) -> None:
    _, tracks = traced(tmp_path, tiny(tokens=2), settings={"asic.clock_hz": clock_hz})
    for track in tracks.values():
        assert all(before[1] <= after[0] for before, after in pairwise(track.slices))
        assert all(start < end for start, end, _, _ in track.slices)
        assert all(before[0] < after[0] for before, after in pairwise(track.values))


def test_a_trace_ends_with_its_tokens(tmp_path: Path) -> None:
    report, tracks = traced(tmp_path, tiny(tokens=5), trace_tokens=3)
    assert report.model_dump() == run(tiny(tokens=5)).model_dump()  # tracing changes nothing
    assert [name for _, _, name, _ in tracks["steps"].slices] == [f"step at context {n}" for n in (1, 2, 3)]
    last = tracks["steps"].slices[-1][1]
    assert max(end for _, end, _, _ in tracks["asic"].slices) == last
    assert len(tracks["pim"].slices + tracks["asic"].slices) == report.instructions * 3 // 5


def test_a_trace_counts_tokens_of_the_run_not_those_in_the_cache_before(tmp_path: Path) -> None:
    _, tracks = traced(tmp_path, tiny(tokens=3, past=20, n_ctx=64), trace_tokens=2)
    assert [name for _, _, name, _ in tracks["steps"].slices] == ["step at context 21", "step at context 22"]


def test_a_step_of_several_tokens_is_traced_whole(tmp_path: Path) -> None:
    workload = tiny(tokens=2, prompt=4)
    wide = {"batching": "row_reuse", "buffer_bytes": 16384}
    _, tracks = traced(tmp_path, workload, settings=wide, trace_tokens=1)
    assert [(name, known["queries"]) for _, _, name, known in tracks["steps"].slices] == [("step at context 4", 4)]


def test_the_same_run_gives_the_same_trace(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b")]
    for file in files:
        run(tiny(), trace=file)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("ticks_per_second", "power"),
    [(10**9, 1), (5 * 10**8, 1), (2 * 10**9, 10), (4 * 10**9, 100), (6 * 10**9, 10), (10**14, 10**5)],
)
def test_time_is_stretched_until_ticks_differ(ticks_per_second: int, power: int) -> None:
    assert stretch(ticks_per_second) == power


def test_a_small_timeline_reads_like_this(tmp_path: Path) -> None:
    clock = TimeBase.of({"a": 500_000_000, "b": 1_000_000_000}).clocks["a"]
    level = Counter(name="level", unit="items", ticks=np.array([0, 3]), values=np.array([0, 2]))
    spans = (Span(0, 2, "first", {"n": 1}), Span(2, 6, "second", {}))
    track = Track(name="unit", clock=clock, spans=spans, counters=(level,))
    file = tmp_path / "small.pftrace"
    write_trace(file, Timeline(name="small", ticks_per_second=1_000_000_000, tracks=(track,)))
    assert read(file)["unit"].slices == [
        (0, 2, "first", {"n": 1, "start_cycle": 0, "cycles": 1}),
        (2, 6, "second", {"start_cycle": 1, "cycles": 2}),
    ]
    assert read(file)["unit/level"].values == [(0, 0), (3, 2)]


def test_a_track_does_one_thing_at_a_time() -> None:
    clock = TimeBase.of({"a": 1}).clocks["a"]
    with pytest.raises(ValueError, match="track unit: b begins before a ends"):
        Track(name="unit", clock=clock, spans=(Span(0, 2, "a", {}), Span(1, 3, "b", {})))


def test_a_trace_of_no_tokens_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--trace-tokens: expected at least 1, got 0"):
        run(tiny(), trace=tmp_path / "t", trace_tokens=0)
    with pytest.raises(OutputError, match="there is no folder"):
        run(tiny(), trace=tmp_path / "none" / "t")
    assert list(tmp_path.iterdir()) == []

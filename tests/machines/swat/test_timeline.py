"""SWAT's trace: rows through the stages, with their waits, and the companion's units beside them."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hwsim import run as run_workload
from hwsim.engine.timeline import Span, Track
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.timeline import timeline
from tests.machines.swat.small_runs import CORES, encoder, executed, head
from tests.report.test_perfetto import read

ALL = 10_000  # more rows than any operator has
SLOW_MEMORY = {"hbm.request_ns": 3000.0, "hbm.burst_bytes": 128, "hbm.ahead_rows": 1}
STAGES = ["LOAD", "QK", "SV", "ZRED1", "ZRED2", "ROWSUM1", "ROWSUM2", "DIV&OUT"]


def tracks_of(run: Execution) -> dict[str, Track]:
    """By their path."""

    def below(track: Track, path: str) -> Iterator[tuple[str, Track]]:
        yield path, track
        for child in track.children:
            yield from below(child, f"{path}/{child.name}")

    return dict(pair for track in timeline(run).tracks for pair in below(track, track.name))


def cycles(run: Execution, spans: tuple[Span, ...]) -> list[tuple[int, int, str]]:
    period = run.diagram.clocks["fabric"].period_ticks
    return [(span.start // period, span.end // period, span.name) for span in spans]


def works(track: Track) -> list[Span]:
    return [span for span in track.spans if span.arguments["kind"] != "stall"]


def test_the_first_rows_of_a_window_read_like_this() -> None:
    """H = 16: LOAD 18, QK 57, SV 53, ZRED 51, ROWSUM1 of groups of 4 is 15 and ROWSUM2 of 2 groups 9, DIV&OUT 83."""
    run = executed(head(), rows=2)
    tracks = tracks_of(run)
    assert {name: cycles(run, tracks[f"pipeline0/{name}"].spans) for name in STAGES} == {
        "LOAD": [(0, 18, "row 0"), (83, 101, "row 1")],
        "QK": [(83, 140, "row 0"), (166, 223, "row 1")],
        "SV": [(166, 219, "row 0"), (249, 302, "row 1")],
        "ZRED1": [(249, 300, "row 0"), (332, 383, "row 1")],
        "ZRED2": [(332, 383, "row 0"), (415, 466, "row 1")],
        "ROWSUM1": [(249, 264, "row 0"), (332, 347, "row 1")],
        "ROWSUM2": [(332, 341, "row 0"), (415, 424, "row 1")],
        "DIV&OUT": [(415, 498, "row 0"), (498, 581, "row 1")],
    }
    assert tracks["pipeline0/QK"].spans[1].arguments == {
        "operator": "attention", "kind": "attention", "head": 0, "sequence": 0, "pass": 0, "query": 1, "keys": 5,
    }  # fmt: skip


@pytest.mark.parametrize("settings", [{}, {"mode": "elastic"}, {"prologue": "counted"}, {"pipelines": 2}], ids=str)
def test_parents_contain_their_children_and_slices_do_not_overlap(settings: dict[str, Any]) -> None:
    run = executed(encoder(), rows=ALL, **settings)
    for track in timeline(run).tracks:
        spans = [(span.start, span.end) for span in track.spans]
        for child in track.children:
            assert all(before.end <= after.start for before, after in pairwise(child.spans))
            for span in child.spans:
                assert any(begin <= span.start < span.end <= end for begin, end in spans), (child.name, span)


def test_in_lockstep_the_stages_of_a_step_begin_together() -> None:
    """Row r in a stage begins with row r + depth in LOAD, which may have to wait for memory then."""
    run = executed(head(), rows=ALL, **SLOW_MEMORY)
    depths = {"QK": 1, "SV": 2, "ZRED1": 3, "ROWSUM1": 3, "ZRED2": 4, "ROWSUM2": 4, "DIV&OUT": 5}
    begun: dict[str, dict[Any, int]] = {name: {} for name in STAGES}
    for name in STAGES:
        for span in tracks_of(run)[f"pipeline0/{name}"].spans:
            begun[name].setdefault(span.arguments["query"], span.start)
    for name, depth in depths.items():
        assert list(begun[name].values())[:-depth] == list(begun["LOAD"].values())[depth:]


def test_in_elastic_mode_a_row_follows_as_soon_as_it_can() -> None:
    run = executed(head(), rows=2, mode="elastic")
    tracks = tracks_of(run)
    assert [cycles(run, tracks[f"pipeline0/{name}"].spans)[0] for name in ("LOAD", "QK", "SV", "ZRED1", "DIV&OUT")] == [
        (0, 18, "row 0"), (18, 75, "row 0"), (75, 128, "row 0"), (128, 179, "row 0"), (230, 313, "row 0"),
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["lockstep", "elastic"])
def test_slices_of_all_rows_add_up_to_what_units_were_busy_and_waited(mode: str) -> None:
    """With a slow memory LOAD waits; each stage has a slice a row."""
    run = executed(head(heads=3), rows=ALL, mode=mode, companion="none", **SLOW_MEMORY)
    tracks = tracks_of(run)
    for name in STAGES:
        track = tracks[f"pipeline0/{name}"]
        assert len(works(track)) == 3 * 40
        assert sum(span.end - span.start for span in works(track)) == run.ledger.busy[name]
    stalls = [span for span in tracks["pipeline0/LOAD"].spans if span.arguments["kind"] == "stall"]
    assert {span.name for span in stalls} == {"waits for memory"}
    assert sum(span.end - span.start for span in stalls) == run.ledger.total("memory_wait") > 0


def test_rows_tell_head_pass_and_query() -> None:
    run = executed(encoder(), rows=ALL, pipelines=2)
    for pipeline in (0, 1):
        spans = tracks_of(run)[f"pipeline{pipeline}/SV"].spans
        first = [span.arguments for span in spans if span.arguments["operator"] == "l0.attention"]
        assert {arguments["head"] for arguments in first} == {pipeline}
        plan = run.ledger.attention[0].work.groups[0].plan
        rows = [(number, row) for number, each in enumerate(plan.passes) for row in each.rows.tolist()]
        assert [(arguments["pass"], arguments["query"]) for arguments in first] == rows
        last = [span.arguments for span in spans if span.arguments["operator"] == "l0.global_attention"]
        assert {arguments["query"] for arguments in last} == {0}  # one query, over several passes


def test_counters_tell_loads_and_cores_with_a_key() -> None:
    run = executed(head(), rows=ALL)
    tracks = tracks_of(run)
    plan = run.ledger.attention[0].work.groups[0].plan
    (loads,), (keys,) = tracks["pipeline0/LOAD"].counters, tracks["pipeline0/QK"].counters
    assert int(loads.values.sum()) == int(plan.passes[0].loads.sum())
    # QK rests between rows, as DIV&OUT is the slowest stage of so small a head
    assert keys.values.tolist()[::2] == [4, 5, 6, 7, *[8] * 33, 7, 6, 5]
    assert set(keys.values.tolist()[1::2]) == {0}
    assert int(keys.values.sum()) == plan.pairs


def test_a_counted_prologue_has_a_slice_before_its_pass() -> None:
    run = executed(head(), rows=1, prologue="counted")
    first, row = tracks_of(run)["pipeline0/LOAD"].spans
    assert (first.start, first.name, first.end) == (0, "first keys of pass 0", row.start)
    assert first.arguments["loads"] == run.ledger.attention[0].work.groups[0].plan.passes[0].prologue


def test_the_companions_units_have_tracks_of_their_own() -> None:
    run = executed(encoder(), rows=1)
    tracks = tracks_of(run)
    assert [span.name for span in tracks["companion/matrix"].spans][:4] == ["l0.q", "l0.k", "l0.v", "l0.global_q"]
    assert [span.name for span in tracks["companion/vector"].spans][:2] == ["embed", "embed_norm"]
    both = [*tracks["companion/matrix"].spans, *tracks["companion/vector"].spans]
    assert sum(span.end - span.start for span in both) == sum(
        played.ended - played.begun for _, played in run.ledger.beside
    )
    assert "companion" not in tracks_of(executed(head(), rows=1))


def test_rows_of_the_first_step_alone_are_traced() -> None:
    run = executed(encoder(sequences=2, batch=1), rows=1)
    assert [span.name for span in tracks_of(run)["pipeline0"].spans] == ["l0.attention", "l0.global_attention"]
    assert len(tracks_of(run)["companion"].spans) * 2 == len(run.ledger.beside)


def test_the_file_has_the_same_slices(tmp_path: Path) -> None:
    """A trace changes nothing, and Perfetto finds each stage below its pipeline."""
    file = tmp_path / "run.pftrace"
    report = run_workload(encoder(), settings=CORES, trace=file, trace_tokens=3)
    assert report.model_dump() == run_workload(encoder(), settings=CORES).model_dump()
    tracks = read(file)
    assert [name for _, _, name, _ in tracks["pipeline0/SV"].slices] == ["row 0", "row 1", "row 2", *["row 0"] * 3]
    assert tracks["pipeline0/QK/cores with a key"].values
    *_, known = tracks["companion/matrix"].slices[0]
    assert (known["operator"], known["kind"], known["rows"]) == ("l0.q", "linear", 64)

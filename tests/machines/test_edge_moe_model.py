"""Edge-MoE runs: its published configuration, what its ports carry, and what overlaps."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from hwsim import load_workload, run
from hwsim.pipeline import prepare
from hwsim.report.schema import Report

PUBLISHED_MS = 34.64
BEAT = 32  # bytes
ROWS = 33 * 129  # of reordered attention with 4 queries at once: 132 queries in 33 passes over 129 keys


@cache
def report_of(**settings: Any) -> Report:
    """One image of the published model."""
    return run(
        load_workload("m3vit_tiny", images=1), "edge_moe", {k.replace("__", "."): v for k, v in settings.items()}
    )


def share(report: Report, *kinds: str) -> float:
    return sum(part.share for part in report.breakdown if part.kind in kinds)


def test_the_published_configuration_is_within_ten_per_cent_of_the_published_latency() -> None:
    """Nothing in the timing is fitted to it."""
    report = report_of()
    assert report.cycles == 9_943_179
    assert report.latency_s * 1e3 == pytest.approx(33.147, abs=5e-4)
    assert abs(report.latency_s * 1e3 / PUBLISHED_MS - 1) < 0.1


def test_scores_and_values_take_half_of_the_time_as_the_paper_says() -> None:
    assert share(report_of(), "attention_scores", "attention_values") == pytest.approx(0.494, abs=5e-4)


def test_the_shares_of_all_kinds_add_up() -> None:
    report = report_of()
    assert sum(part.share for part in report.breakdown) == pytest.approx(1)
    assert sum(part.cycles for part in report.breakdown) == pytest.approx(report.cycles, abs=len(report.breakdown))


def test_ports_carry_what_the_schedule_says() -> None:
    """inout2: queries and values of 12 layers, x for 24 norms and 24 additions; values come again for each pass."""
    ports = {(port.port, port.direction): port for port in report_of().ports or ()}
    queries, values = 12 * 129 * 24, 12 * ROWS * 24
    norms = additions = 24 * 129 * 24
    assert ports["inout2", "read"].size_bytes == (queries + values + norms + additions) * BEAT
    assert ports["inout3", "write"].size_bytes > 0
    assert all(0 < port.utilisation < 1 for port in ports.values())


def test_a_single_beat_costs_the_round_trip_over_the_outstanding_transactions() -> None:
    """70 + 70 ns and the DRAM's time are some 50 cycles of 3.33 ns, of which 16 transactions share."""
    ports = {(port.port, port.direction): port for port in report_of().ports or ()}
    assert ports["inout2", "read"].cycles_per_single_beat == pytest.approx(3.19, abs=0.05)
    slow = {(p.port, p.direction): p for p in report_of(axi__request_ns=140, axi__response_ns=140).ports or ()}
    assert slow["inout2", "read"].cycles_per_single_beat == pytest.approx(5.85, abs=0.1)


def test_overlap_hides_loads_of_dense_weights() -> None:
    paper, overlap = report_of(), report_of(schedule="overlap")
    assert overlap.cycles < paper.cycles
    assert share(overlap, "load.attention", "load.ffn") < 0.1 * share(paper, "load.attention", "load.ffn")
    assert {p.port: p.size_bytes for p in overlap.ports or ()} == {p.port: p.size_bytes for p in paper.ports or ()}


def test_units_say_what_they_wait_for() -> None:
    units = {unit.name: unit for unit in report_of().units}
    waits = {stall.cause: stall.share for stall in units["qk"].stalls}
    assert max(waits, key=lambda cause: waits[cause]) == "waits for inout3 reads"  # keys come at half the rate
    for unit in units.values():
        assert unit.utilisation + sum(stall.share for stall in unit.stalls) <= 1
    assert not any(unit.proven for unit in units.values())  # the source's timing


def test_rtl_blocks_are_proven_and_the_memory_is_not_one_of_them() -> None:
    units = {unit.name: unit.proven for unit in report_of(blocks="rtl").units}
    assert units.pop("memory") is False
    assert all(units.values())


def test_images_follow_each_other_and_the_patches_weights_are_loaded_once() -> None:
    one, two = report_of(), run(load_workload("m3vit_tiny", images=2), "edge_moe")
    (load,) = (part.cycles for part in one.breakdown if part.kind == "load.patch_embed")
    assert two.cycles == pytest.approx(2 * one.cycles - load, rel=2e-3)  # refreshes fall elsewhere
    assert two.throughput.count == 2


def test_equal_runs_are_equal() -> None:
    assert run(load_workload("m3vit_tiny", images=1), "edge_moe").to_json() == report_of().to_json()


def test_a_trace_shows_each_unit_by_itself() -> None:
    stages = prepare(load_workload("m3vit_tiny", images=1), "edge_moe")
    finished = stages.machine.simulate(stages.program, trace_tokens=1)
    tracks = {track.name: track for track in stages.machine.timeline(finished).tracks}
    assert {"patch_embed", "layernorm", "linear", "qk", "softmax", "mv", "weight_loader", "gate"} <= set(tracks)
    assert [span.name for span in tracks["qk"].spans][:2] == ["l0.attention.scores", "l1.attention.scores"]
    assert len(tracks["layernorm"].spans) == 24


def test_a_task_switch_costs_nothing_and_frames_are_waited_for() -> None:
    tasks = ["segmentation", "depth", "segmentation"]
    report = run(load_workload("m3vit_tiny", tasks=tasks), "edge_moe", {"energy": "off"})
    assert report.passes is not None
    assert [(s.before, s.after, s.passes, s.cycles) for s in report.passes.switches] == [
        ("segmentation", "depth", 1, 0),
        ("depth", "segmentation", 1, 0),
    ]
    slow = run(load_workload("m3vit_tiny", images=2, frames_per_second=10), "edge_moe", {"energy": "off"})
    assert slow.passes is not None
    assert slow.passes.arrivals is not None
    assert slow.latency_s == pytest.approx(0.1 + 33.1e-3, abs=1e-4)  # the second image comes after 100 ms
    assert share(slow, "no image") == pytest.approx((100 - 33.15) / 133.1, abs=1e-3)
    assert slow.passes.arrivals.late == 1  # the first, while the weights of the patches are loaded

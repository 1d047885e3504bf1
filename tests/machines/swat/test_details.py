"""What SWAT's page shows beyond the report: keys in cores, the first rows, the roofline."""

from pathlib import Path
from typing import Any

import pytest

from hwsim.cli import main
from hwsim.machines.swat.core_maps import core_maps
from hwsim.machines.swat.first_stages import stage_chart
from hwsim.machines.swat.memory_use import moved_bytes, offchip
from hwsim.machines.swat.roofline import roofline
from hwsim.machines.swat.row_tracks import pipeline_track
from tests.machines.swat.small_runs import encoder, executed, head
from tests.report.browser import drawn_figures, find_browser


def test_a_map_shows_the_keys_that_each_core_holds_in_turn() -> None:
    """A window of 8 keys: core j mod 8 holds key j, and its next key 8 rows later."""
    (found,) = core_maps(executed(head()))
    assert (found.title, found.cores, found.rows) == ("window(4, 3), its one pass", 8, 40)
    assert [(each.key, each.first, each.last, each.loaded) for each in found.held if each.core == 5] == [
        (5, 2, 9, 2), (13, 10, 17, 10), (21, 18, 25, 18), (29, 26, 33, 26), (37, 34, 39, 34),
    ]  # fmt: skip
    assert {each.kind for each in found.held} == {"window"}


def test_there_is_a_map_for_each_plan_the_one_of_most_rows_first() -> None:
    run = executed(encoder())
    first, second = core_maps(run)
    assert first.title.startswith("window(4, 4) | memory_slots(1), pass ")
    assert second.title == "full, pass 1 of 8"
    assert {each.kind for each in first.held} == {"global", "window"}


@pytest.mark.parametrize("window", ["exact", "published"])
def test_kinds_are_found_in_windows_of_either_form(window: str) -> None:
    run = executed(encoder(), window=window)
    first = core_maps(run)[0]
    plan = run.ledger.attention[0].work.groups[0].plan
    most = max((each.kinds for each in plan.passes), key=lambda kinds: sum(kinds.values()))
    kinds = {each.core: each.kind for each in first.held}
    assert {kind: list(kinds.values()).count(kind) for kind in most} == dict(most)


@pytest.mark.parametrize("mode", ["lockstep", "elastic"])
def test_the_chart_has_the_rows_of_the_trace(mode: str) -> None:
    run = executed(encoder(), rows=8, mode=mode)
    chart, period = stage_chart(run), run.diagram.clocks["fabric"].period_ticks
    begun = run.ledger.attention[0].played[0][0].begun
    for track in pipeline_track(run, 0).children:
        traced = [span for span in track.spans if span.arguments["operator"] == "l0.attention"]
        drawn = [span for span in chart.spans if span.stage == track.name]
        assert [((s.start - begun) // period, (s.end - begun) // period) for s in traced] == [
            (span.begin, span.end) for span in drawn
        ]
        assert [span.name for span in traced if span.arguments["kind"] != "stall"] == [
            span.name for span in drawn if not span.waits
        ]


@pytest.mark.parametrize("settings", [{}, {"companion": "none"}, {"pipelines": 2}], ids=str)
def test_no_work_lies_above_its_roof_and_bytes_are_those_off_the_chip(settings: dict[str, Any]) -> None:
    run = executed(encoder(), **settings)
    found = roofline(run)
    assert all(0 < found.share(point) <= 1 for point in found.points)
    points = {point.name: point for point in found.points}
    step = next(run.program.steps())
    macs = {"attention": 0, "linear": 0}
    for mapped in run.program.mapped.operators:
        if mapped.operator.kind in macs:
            macs[mapped.operator.kind] += mapped.operator.macs(step)
    if settings.get("companion") == "none":
        assert [point.name for point in found.points] == ["attention", "whole run"]
        macs["linear"] = 0
    else:
        assert points["linear"].macs == macs["linear"]
    assert points["attention"].macs == macs["attention"]
    assert points["whole run"].macs == sum(macs.values())
    assert points["whole run"].moved_bytes == sum(offchip(run).values())


def test_bytes_of_operators_are_those_of_all_channels() -> None:
    run = executed(encoder())
    moved, beside = offchip(run), run.ledger.beside
    assert sum(played.row_bytes for _, played in beside) == moved["activations"]
    assert sum(work.weight_bytes for work, _ in beside) <= moved["weights"]
    attention = sum(moved_bytes(done, 0).total() for done in run.ledger.attention)
    assert attention == sum(moved[name] for name in ("q", "k", "v", "z", "carry"))


def test_a_browser_draws_the_page(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    sets = ["workload.layers=1", "workload.tokens=512", "workload.n_ctx=512", "workload.vocab=1000"]
    options = [option for text in sets for option in ("--set", text)]
    assert main(["run", "longformer_base_4096", *options, "--quiet", "--html", str(file)]) == 0
    found = drawn_figures(find_browser(), file, tmp_path / "profile")
    assert found == ["kinds", "units", "bound", "roofline", "fpga", "cores1", "cores2", "stages"]

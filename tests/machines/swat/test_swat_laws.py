"""What holds for every run on the machine swat: parts that add up, bounds, bytes, units that are no more than busy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hwsim.machines.swat.bound import split_attention
from hwsim.machines.swat.lower import AttentionWork
from hwsim.report.schema import Report
from tests.machines.swat.swat_runs import Settings, execution, head, head_report, prepared, report_of, small_model

PATTERNS = (
    "window(16, 15)", "window(16, 16)", "window(0, 0)", "window(40, 0)", "window(6, 6, 3)", "causal", "full",
    "global(3) | window(8, 8)", "random_blocks(2, 4, seed=1)", "strided(5)", "strided_heads(3)", "after(20, causal)",
    "block_local(8, 1, forward=1) | random_blocks(1, 8, seed=0) | global(8, last=8)", "memory_slots(4) | window(9, 9)",
)  # fmt: skip
SPECS = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["lockstep", "elastic"]),
        "softmax": st.sampled_from(["plain", "safe"]),
        "prologue": st.sampled_from(["hidden", "counted"]),
        "window": st.sampled_from(["exact", "published"]),
        "cores": st.sampled_from([1, 2, 8, 32, 512]),
        "loaders": st.sampled_from([1, 2, 8]),
        "pipelines": st.integers(1, 3),
        "reduction_group": st.sampled_from([1, 8, 64]),
        "sv_interval": st.sampled_from([1, 3, 6]),
        "divide_interval": st.sampled_from([1, 2, 9]),
        "hbm.burst_bytes": st.sampled_from([512, 2048]),
        "hbm.ahead_rows": st.sampled_from([1, 64]),
        "hbm.request_ns": st.sampled_from([40, 500, 5_000]),
    }
)
HEADS = st.fixed_dictionaries(
    {
        "pattern": st.sampled_from(PATTERNS),
        "tokens": st.integers(64, 90),
        "heads": st.integers(1, 4),
        "batch": st.integers(1, 2),
        "head_dim": st.sampled_from([8, 64]),
    }
)
ONE_BY_ONE = {"cores": 1, "mode": "lockstep"}  # passes of two rows, in which QK works longer than LOAD
SLOW = {"cores": 8, "mode": "elastic", "hbm.request_ns": 20_000}  # rows that wait for rows of the pass before


def parts_add_up(report: Report) -> None:
    """Kinds of operators, and the bound with what is above it, make the latency; nothing is below zero."""
    assert sum(part.cycles for part in report.breakdown) == report.cycles
    assert sum(part.share for part in report.breakdown) == pytest.approx(1)
    above = [part.seconds for part in report.bound.distance]
    assert min(above) >= 0
    assert report.bound.lower_bound_s + sum(above) == pytest.approx(report.latency_s, rel=1e-12)
    assert report.bound.ratio >= 1


def units_are_no_more_than_busy(report: Report) -> None:
    for unit in report.units:
        assert 0 <= unit.utilisation <= 1, unit
        assert unit.busy_cycles + sum(stall.cycles for stall in unit.stalls) <= report.cycles + 1, unit


@given(spec=SPECS, fields=HEADS)
@example(spec=ONE_BY_ONE, fields={"pattern": "window(0, 0)", "tokens": 40})
@example(spec=SLOW, fields={"pattern": "window(16, 15)", "tokens": 128})
@settings(max_examples=12)
def test_laws(spec: dict[str, Any], fields: dict[str, Any]) -> None:
    obeys(spec, fields)


@pytest.mark.slow
@given(spec=SPECS, fields=HEADS)
@settings(max_examples=400)
def test_laws_of_many_more(spec: dict[str, Any], fields: dict[str, Any]) -> None:
    obeys(spec, fields)


def obeys(spec: dict[str, Any], fields: dict[str, Any]) -> None:
    """Check a run of some heads."""
    workload, chosen = head(**fields), {**spec, "companion": "none"}
    report = report_of(workload, chosen)
    parts_add_up(report)
    units_are_no_more_than_busy(report)
    bytes_are_the_plans(report, chosen, fields)
    rows_take_their_time(report, chosen)


def bytes_are_the_plans(report: Report, chosen: Settings, fields: dict[str, Any]) -> None:
    """Rows of Q as often as they pass, of K and V as often as they are loaded, of Z once."""
    program = prepared(head(**fields), chosen).program
    works = program.works(next(iter(program.steps())))  # type: ignore[attr-defined]
    row = 2 * fields.get("head_dim", 64)
    want = dict.fromkeys(("q", "k", "v", "z"), 0)
    for work in works:
        assert isinstance(work, AttentionWork)
        for group in work.groups:
            want["q"] += group.count * row * sum(len(each.rows) for each in group.plan.passes)
            want["k"] += group.count * row * group.plan.loads
            want["v"] += group.count * row * group.plan.loads
            want["z"] += group.count * row * (group.plan.queries - group.plan.rows_without_keys)
    moved = {each.link: each.size_bytes for each in report.offchip}
    assert {name: moved[name] for name in want} == want
    assert report.dram is not None
    assert report.dram.io_bytes >= report.offchip_bytes


def rows_take_their_time(report: Report, chosen: Settings) -> None:
    """In lockstep a head takes no less than an interval for each row, and a drain for each pass."""
    assert report.attention is not None
    for use in report.attention:
        assert use.pairs <= use.rows * chosen["cores"]
        assert use.computing <= 1
        if chosen["mode"] == "lockstep":
            assert use.cycles >= (use.rows + use.passes * (use.depth - 1)) * use.interval


def test_a_run_is_repeated_to_the_byte() -> None:
    fields = {"pattern": PATTERNS[-2], "tokens": 88, "heads": 3}
    first, second = (head_report({"mode": "elastic"}, **fields).model_dump_json() for _ in range(2))  # type: ignore[arg-type]
    assert first == second


def test_a_model_obeys_them_too() -> None:
    for settings_ in ({}, {"companion": "none"}, {"pipelines": 2, "mode": "elastic"}, {"hbm.request_ns": 2_000}):
        report = report_of(small_model(batch=2, sequences=2), settings_)
        parts_add_up(report)
        units_are_no_more_than_busy(report)


def above(spec: Settings, **fields: Any) -> dict[str, int]:
    """Cycles of a head above its bound, by what they are for."""
    (done,) = execution(head(**fields), {"companion": "none", **spec}).ledger.attention
    tick = done.work.design.spec.time_base.clocks["fabric"].ticks(1)
    parts = split_attention(done, 0)
    assert sum(parts.values()) == done.ended - done.begun
    return {name: ticks // tick for name, ticks in parts.items() if ticks}


SHORT_BURSTS = {"hbm.burst_bytes": 512, "hbm.ahead_rows": 1}  # four rows each


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ({}, {"stages": 512 * 201, "filling": 5 * 201}),
        ({"mode": "elastic"}, {"stages": 512 * 201, "filling": 1033 - 201}),
        ({"cores": 128}, {"stages": 1_790 * 201, "filling": 4 * 5 * 201}),
        ({"prologue": "counted"}, {"stages": 512 * 201, "filling": 5 * 201, "loads": 8_194 + 82}),
    ],
    ids=str,
)
def test_the_time_of_a_head_by_what_it_is_for(spec: Settings, parts: dict[str, int]) -> None:
    assert above(spec) == parts


def test_loads_that_an_interval_has_no_time_for() -> None:
    assert above({"loaders": 1}, pattern="random_blocks(3, 4, seed=0)") == {
        "stages": 512 * 201, "filling": 5 * 201, "loads": 42_396,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("request_ns", "waits", "cost"), [(2_400, 59, 0), (2_500, 84, 7), (2_600, 10_033, 1_751), (3_000, 39_998, 16_533)]
)
def test_waits_that_other_stages_hide_cost_nothing(request_ns: int, waits: int, cost: int) -> None:
    """LOAD and DIV&OUT have time to spare in an interval of QK."""
    spec = {**SHORT_BURSTS, "hbm.request_ns": request_ns}
    found = above(spec)
    assert found.pop("memory", 0) == cost
    assert found == above({})
    units = {unit.name: unit for unit in head_report({"companion": "none", **spec}).units}
    assert sum(stall.cycles for name in ("load", "div_out") for stall in units[name].stalls) == waits

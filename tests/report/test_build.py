"""The common parts of all machines' reports."""

from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from hwsim.baselines.ratios import Ratio
from hwsim.energy import Component, load_table
from hwsim.engine.clock import Clock
from hwsim.engine.unit_spec import UnitSpec
from hwsim.mapping.step import Step
from hwsim.mapping.workload.loads import Load
from hwsim.mapping.workload.run import DecoderRun
from hwsim.pipeline import load_workload, run
from hwsim.report.build import bound_use, busiest, chip_resources, unit_use, waits_for_turn
from hwsim.report.decoding import decoding_use, left_out_projection
from hwsim.report.energy_use import energy_use
from hwsim.report.loads import load_use
from hwsim.report.published import published_beside, read_published
from hwsim.report.run_time import RunTime
from hwsim.report.schema import BoundPart
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.sram.contract import SramContract

# 1,000 ticks of 1 ns; the report counts a clock of 4 ns
CLOCK = Clock(name="c", freq_hz=Fraction(250_000_000), period_ticks=4)
TIME = RunTime(
    ticks=1_000, ticks_per_second=10**9, clock=Clock(name="c", freq_hz=Fraction(250_000_000), period_ticks=4)
)


def test_ticks_become_cycles_that_have_begun_seconds_and_shares() -> None:
    assert (TIME.cycles(8), TIME.cycles(9), TIME.seconds(500), TIME.share(250)) == (2, 3, 5e-7, 0.25)


def test_a_bound_and_what_lies_above_it_add_up() -> None:
    found = bound_use(TIME, 400, "all at once", [("waits for rows", "rows", 700), ("side by side", "waits", -100)])
    assert (found.lower_bound_s, found.ratio, found.note) == (4e-7, 2.5, "all at once")
    assert found.distance == [
        BoundPart(cause="waits for rows", kind="rows", seconds=7e-7),
        BoundPart(cause="side by side", kind="waits", seconds=-1e-7),
    ]
    assert (found.seconds("rows"), found.seconds("host")) == (7e-7, 0)
    with pytest.raises(AssertionError, match="must add up to the latency"):
        bound_use(TIME, 400, "", [("waits for rows", "rows", 599)])


def test_a_unit_waits_while_others_work_and_for_edges() -> None:
    busy = {"memory": 600, "asic": 300}
    waits = waits_for_turn(TIME, "memory", busy)
    assert waits == {"asic at work": 300, "clock edges": 100}
    unit = UnitSpec(name="memory", kind="memory", clock_hz=1, count=8, stated="an engine", compared="with a slow one")
    use = unit_use(TIME, unit, 600, waits)
    assert (use.busy_cycles, use.utilisation, use.count, use.source) == (150, 0.6, 8, "an engine")
    assert [(stall.cause, stall.cycles, stall.share) for stall in use.stalls] == [
        ("asic at work", 75, 0.3),
        ("clock edges", 25, 0.1),
    ]
    assert (use.proven, use.compared) == (False, "with a slow one")


def test_proven_is_what_the_contract_says() -> None:
    contract = ExpContract.from_preset("rtl")
    unit = UnitSpec(name="exp", kind="fpga", clock_hz=1, contract=contract)
    assert unit_use(TIME, unit, 0).proven
    own = UnitSpec(name="exp", kind="fpga", clock_hz=1, contract=ExpContract())
    assert not unit_use(TIME, own, 0).proven


@pytest.mark.parametrize("machine", ["pim_gpt", "aim"])
def test_work_and_waits_of_units_that_take_turns_fill_the_run(machine: str) -> None:
    report = run(load_workload("gpt2", tokens=3, prompt=2, layers=1), machine)
    for unit in report.units:
        if unit.stalls:
            assert unit.utilisation + sum(stall.share for stall in unit.stalls) == pytest.approx(1)
    assert sum(bool(unit.stalls) for unit in report.units) >= 2


def test_units_that_work_side_by_side_state_no_waits() -> None:
    report = run(load_workload("gpt2", tokens=2, layers=1), settings={"schedule": "overlap"})
    assert not any(unit.stalls for unit in report.units)


def test_the_busiest_unit_and_most_work_in_a_line() -> None:
    found = busiest(TIME, {"a": 200, "b": 500}, {"act": 1, "linear": 700, "norm": 20})
    assert found == ("b", "b: busy 50.0% of the time; most time goes to linear, norm")


def test_a_chip_takes_what_its_units_take() -> None:
    sram = UnitSpec(name="s", kind="asic", clock_hz=1, count=2, contract=SramContract(size_bytes=100))
    host = UnitSpec(name="h", kind="host", clock_hz=1, stated="a guess")
    (use,) = chip_resources([sram, host], "asic")
    assert (use.place, use.resource, use.used, use.available) == ("asic", "sram_bytes", 200, None)
    assert chip_resources([sram, host], "host") == []


def test_tokens_are_timed_from_the_end_of_the_prompt() -> None:
    workload = DecoderRun(prompt=2, tokens=3, batch=4, past=10)
    steps = [Step(queries=1, context=11 + i, batch=4) for i in range(5)]
    found = decoding_use(workload, steps, [10, 20, 50, 90, 140], 100, lm_head="pim", longest_context=99)
    assert (found.tokens, found.past, found.prompt, found.batch) == (3, 10, 2, 4)
    assert found.tokens_per_s == 3 * 4 / 1.2
    assert found.time_to_first_token_s == 0.5
    assert [(entry.context, entry.seconds) for entry in found.token_latencies] == [(13, 0.3), (14, 0.4), (15, 0.5)]
    assert (found.lm_head, found.longest_context) == ("excluded", 99)


def test_a_prefill_counts_the_tokens_of_its_prompt() -> None:
    workload = DecoderRun(phase="prefill", prompt=2, batch=3, lm_head="included")
    steps = [Step(queries=1, context=1 + i, batch=3) for i in range(2)]
    found = decoding_use(workload, steps, [10, 30], 100, lm_head="host", longest_context=None)
    assert (found.tokens, found.tokens_per_s, found.time_to_first_token_s) == (2, 6 / 0.3, 0.3)
    assert found.lm_head == "host"


def test_what_a_run_leaves_out_is_set_against_one_token() -> None:
    (found,) = left_out_projection(TIME, 10, ticks=50, where="PIM")
    assert (found.seconds_per_unit, found.share) == (5e-8, 0.5)


def test_energy_in_the_runs_own_unit() -> None:
    parts = [
        Component(name="background", joules=3.0, source="time", grade="A", standing=True),
        Component(name="work", joules=1.0, source="counts", grade="S"),
    ]
    found = energy_use(
        parts, load_table("paper"), joules=4.0, seconds=2.0, passed=8, unit="images", macs=0, coefficients=["vdd_v"]
    )
    assert (found.joules_per_unit, found.unit, found.mean_power_w, found.joules_per_mac) == (0.5, "images", 2.0, None)
    assert [(part.share, part.standing) for part in found.components] == [(0.75, True), (0.25, False)]
    assert [entry.name for entry in found.coefficients] == ["vdd_v"]


def figure(**fields: Any) -> dict[str, Any]:
    return {"name": "hits", "theirs": "about 98 %", "grade": "T", **fields}


def test_published_figures_stand_beside_ours() -> None:
    entries = read_published(
        [
            figure(ours="hits", value=0.5, unit="%"),
            figure(ours="hits", only="gpt3_xl"),
            figure(not_comparable="one run has one size"),
            figure(ours="speed", note="their own note"),
        ]
    )
    ours = {"hits": Ratio(value=0.75, note="ours"), "speed": Ratio(value=None, note="not comparable: no device")}
    found = published_beside(entries, "gpt2", ours)
    assert [(entry.ours, entry.ratio, entry.note) for entry in found] == [
        (0.75, 1.5, "ours"),
        (None, None, "not comparable: one run has one size"),
        (None, None, "their own note"),
    ]
    assert len(published_beside(entries, "gpt3_xl", ours)) == 4


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "hits: expected either ours or not_comparable"),
        ({"ours": "hits", "not_comparable": "why"}, "hits: expected either ours or not_comparable"),
        ({"ours": "hits", "valeu": 1}, "Extra inputs are not permitted"),
    ],
)
def test_a_line_of_published_figures_checks_itself(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        read_published([figure(**fields)])


@pytest.mark.parametrize(("count", "p99"), [(1, 0), (99, 98), (100, 98), (101, 99), (1_000, 989)])
def test_p99_is_the_least_that_99_of_100_do_not_exceed(count: int, p99: int) -> None:
    assert load_use("routing", Load(), list(range(count))[::-1], unit="tokens").p99 == p99


def test_a_load_that_never_came_up_is_no_load() -> None:
    with pytest.raises(ValueError, match="load routing: never came up"):
        load_use("routing", Load(), [], unit="tokens")

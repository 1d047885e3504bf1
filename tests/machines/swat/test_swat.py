"""The machine swat: how long heads take, from the stages that rows pass."""

from __future__ import annotations

import numpy as np
import pytest

from hwsim.machines.swat import MACHINE
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.stages import depth_of, interval_of, stages_of, way_of
from tests.machines.swat.swat_runs import Settings, attention, cycles, head_report

LENGTHS = [512, 1024, 2048, 4096, 8192, 16384]


def built(settings: Settings | None = None, *, head_dim: int | None = None) -> Design:
    """The units, for the largest head unless told otherwise."""
    spec = MACHINE.spec_file.load(None, settings or {})
    return Design(spec=spec, head_dim=head_dim or spec.head_dim)


def stages(settings: Settings | None = None, *, head_dim: int | None = None) -> dict[str, int]:
    """Cycles of each stage."""
    return {stage.name: stage.cycles for stage in stages_of(built(settings, head_dim=head_dim))}


def pace(settings: Settings | None = None) -> tuple[int, int, int]:
    """Interval from row to row, stages on the longest way, and cycles of a row on it."""
    found = stages_of(built(settings))
    return interval_of(found), depth_of(found), way_of(found)


# --- stages, from the contracts of the units


def test_stages_of_fp16_are_the_published_ones() -> None:
    assert stages() == {
        "LOAD": 66, "QK": 201, "SV": 197, "ZRED1": 195, "ZRED2": 195, "ROWSUM1": 195, "ROWSUM2": 27, "DIV&OUT": 179,
    }  # fmt: skip
    assert pace() == (201, 6, 66 + 201 + 197 + 195 + 195 + 179)


def test_stages_of_fp32() -> None:
    assert stages({"format": "fp32"}) == {
        "LOAD": 66, "QK": 264, "SV": 261, "ZRED1": 259, "ZRED2": 259, "ROWSUM1": 259, "ROWSUM2": 35, "DIV&OUT": 179,
    }  # fmt: skip
    assert pace({"format": "fp32"}) == (264, 6, 1288)


def test_heads_of_128_take_an_interval_for_each_element_and_the_same_latencies() -> None:
    assert stages({"head_dim": 128}) == {
        "LOAD": 128 + 2, "QK": 3 * 128 + 9, "SV": 3 * 128 + 5, "ZRED1": 3 * 128 + 3, "ZRED2": 3 * 128 + 3,
        "ROWSUM1": 195, "ROWSUM2": 27, "DIV&OUT": 2 * 128 + 51,
    }  # fmt: skip
    assert pace({"head_dim": 128}) == (393, 6, 1993)


def test_smaller_heads_end_their_loops_earlier_on_the_same_cores() -> None:
    assert stages({"head_dim": 128}, head_dim=64) == stages()
    assert stages(head_dim=32) == {
        "LOAD": 34, "QK": 105, "SV": 101, "ZRED1": 99, "ZRED2": 99, "ROWSUM1": 195, "ROWSUM2": 27, "DIV&OUT": 115,
    }  # fmt: skip
    assert attention(head_dim=32).interval == 195  # ROWSUM1: the exps of 64 cores, whatever a head's size


def test_a_quarter_of_the_cores_have_two_groups_for_the_second_level() -> None:
    assert stages({"cores": 128}) == {**stages(), "ROWSUM2": 3 * 2 + 3}
    assert pace({"cores": 128}) == (201, 6, 1033)


def test_a_group_of_all_cores_is_summed_number_by_number() -> None:
    assert stages({"reduction_group": 512}) == {**stages(), "ROWSUM1": 3 * 512 + 3, "ROWSUM2": 3 + 3}
    assert pace({"reduction_group": 512})[0] == 1539
    few = {"cores": 4, "reduction_group": 512}  # a group larger than the cores has no more than there are
    assert stages(few) == {**stages(), "ROWSUM1": 3 * 4 + 3, "ROWSUM2": 3 + 3}


def test_a_pipelined_sv_shortens_the_way_and_not_the_interval() -> None:
    assert stages({"sv_interval": 1}) == {**stages(), "SV": 64 + 5}
    assert pace({"sv_interval": 1}) == (201, 6, 905)


def test_a_running_maximum_is_two_stages_between_qk_and_sv() -> None:
    assert list(stages({"softmax": "safe"}).items())[1:5] == [("QK", 201), ("MAX1", 195), ("MAX2", 27), ("SV", 197)]
    assert pace({"softmax": "safe"}) == (201, 8, 1033 + 195 + 27)


# --- heads


@pytest.mark.parametrize("tokens", LENGTHS)
def test_a_head_in_lockstep_takes_an_interval_for_each_row_and_five_to_drain(tokens: int) -> None:
    assert cycles(tokens=tokens) == (tokens + 5) * 201


@pytest.mark.parametrize("tokens", LENGTHS)
def test_a_head_in_elastic_mode_takes_the_way_of_a_row_and_an_interval_for_each_other(tokens: int) -> None:
    assert cycles({"mode": "elastic"}, tokens=tokens) == 1033 + (tokens - 1) * 201


@pytest.mark.parametrize("tokens", [512, 16384])
def test_a_head_in_fp32(tokens: int) -> None:
    assert cycles({"format": "fp32"}, tokens=tokens) == (tokens + 5) * 264
    assert cycles({"format": "fp32", "mode": "elastic"}, tokens=tokens) == 1288 + (tokens - 1) * 264


def test_latency_is_linear_in_tokens() -> None:
    seconds = np.array([head_report(tokens=tokens).latency_s for tokens in LENGTHS])
    slope, start = np.polyfit(LENGTHS, seconds, 1)
    assert slope == pytest.approx(670e-9)
    assert np.abs(seconds - slope * np.array(LENGTHS) - start).max() / seconds.min() < 1e-9


@pytest.mark.parametrize(
    ("settings", "fields", "expected"),
    [
        ({"head_dim": 128}, {"head_dim": 128}, (512 + 5) * 393),
        ({"head_dim": 128}, {}, (512 + 5) * 201),
        ({"cores": 128}, {"pattern": "window(64, 63)"}, (512 + 5) * 201),
        ({"sv_interval": 1}, {}, (512 + 5) * 201),
        ({"sv_interval": 1, "mode": "elastic"}, {}, 905 + 511 * 201),
        ({"softmax": "safe"}, {}, (512 + 7) * 201),
        ({"softmax": "safe", "mode": "elastic"}, {}, 1255 + 511 * 201),
        ({"softmax": "safe", "format": "fp32"}, {}, (512 + 7) * 264),
        ({"load_interval": 4}, {}, (512 + 5) * (4 * 64 + 2)),
        ({"divide_interval": 3}, {}, (512 + 5) * (3 * 64 + 51)),
        ({}, {"pattern": "window(255, 0)"}, (512 + 5) * 201),  # fewer keys than cores save no time
        ({}, {"repeats": 3}, 3 * (512 + 5) * 201),
        ({}, {"batch": 3}, 3 * (512 + 5) * 201),
        ({}, {"heads": 12}, 12 * (512 + 5) * 201),
        ({}, {"heads": 4, "kv_heads": 1}, 4 * (512 + 5) * 201),  # cores hold the keys of one head at a time
    ],
    ids=str,
)
def test_cycles_of_other_configurations(settings: Settings, fields: dict[str, object], expected: int) -> None:
    assert cycles(settings, **fields) == expected


@pytest.mark.parametrize("tokens", [1, 2, 3, 100, 255, 256])
def test_a_sequence_shorter_than_the_window_works(tokens: int) -> None:
    use = attention(tokens=tokens)
    assert use.cycles == (tokens + 5) * 201
    assert (use.pairs, use.cores) == (tokens * tokens, {"window": tokens})


def test_the_clock_gives_the_seconds() -> None:
    report = head_report({"clock_hz": 200_000_000})
    assert (report.cycles, report.latency_s) == (103_917, 103_917 / 2e8)
    assert (report.throughput.value, report.throughput.unit) == (pytest.approx(512 / report.latency_s), "rows")


# --- pipelines


def test_two_pipelines_halve_an_even_number_of_heads() -> None:
    one, two = (cycles({"pipelines": n}, heads=12) for n in (1, 2))
    assert (one, two) == (12 * 103_917, 6 * 103_917)


def test_a_head_is_not_divided_over_pipelines() -> None:
    two = head_report({"pipelines": 2}, heads=3)
    assert two.cycles == 2 * 103_917
    busy = {unit.name: unit.utilisation for unit in two.units}
    assert busy["qk"] == pytest.approx(3 / 4 * 512 * 201 / 103_917)  # the mean of both


def test_four_pipelines_fit_beside_the_companion_and_six_without() -> None:
    assert cycles({"pipelines": 4}, heads=4) == 103_917
    assert cycles({"pipelines": 6, "companion": "none"}, heads=6) == 103_917


# --- the prologue


def test_a_counted_prologue_costs_its_loads_and_the_first_burst() -> None:
    """Keys 0 to 254 in pairs, 128 x 64 + 2; the first burst takes 82 cycles, as buffers are empty then."""
    hidden, counted = attention(), attention({"prologue": "counted"})
    assert hidden.prologue_cycles == counted.prologue_cycles == 128 * 64 + 2
    assert counted.cycles - hidden.cycles == 8_194 + 82
    assert (hidden.prologue_hidden, counted.prologue_hidden) == (True, False)


def test_a_hidden_prologue_is_named_as_what_is_not_included() -> None:
    hidden, counted = head_report(), head_report({"prologue": "counted"})
    assert counted.excluded == []
    (excluded,) = hidden.excluded
    assert excluded.name == "loads before the first row of attention"
    assert excluded.note.startswith("8,194 cycles, ")
    assert excluded.share == pytest.approx(8_194 / 103_917)


def test_more_loaders_shorten_the_prologue_alone() -> None:
    found = {loaders: attention({"loaders": loaders}) for loaders in (1, 2, 64)}
    assert {n: use.prologue_cycles for n, use in found.items()} == {1: 255 * 64 + 2, 2: 8_194, 64: 4 * 64 + 2}
    assert {use.cycles for use in found.values()} == {103_917}


def test_every_head_counts_its_own_prologue() -> None:
    one, three = (cycles({"prologue": "counted"}, heads=heads) for heads in (1, 3))
    assert 3 * (103_917 + 8_194) <= three <= 3 * one

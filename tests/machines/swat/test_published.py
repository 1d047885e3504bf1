"""The published figures beside runs: what is compared with what, and what is not claimed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hwsim import load_workload, run
from hwsim.baselines import find_device
from hwsim.baselines.butterfly import butterfly
from hwsim.baselines.sliding_chunks import SlidingChunks, sliding_chunks
from hwsim.machines.swat.published import window_keys
from hwsim.mapping.patterns import parse_pattern
from hwsim.report.schema import Published, Report

SHORT = 64
BTF_2 = "latency over Butterfly with 2 softmax layers (BTF-2)"
ENERGY_2 = "energy efficiency over Butterfly with 2 softmax layers (BTF-2)"
GPU = "energy efficiency over a GPU (MI210, sliding chunks)"
BYTES = "off-chip bytes a row"


def kernel(tokens: int = SHORT, *, settings: Mapping[str, Any] | None = None, **fields: Any) -> Report:
    """A run of the kernel without a companion."""
    return run(load_workload("swat_kernel", tokens=tokens, **fields), "swat", {"companion": "none", **(settings or {})})


def figures(report: Report) -> dict[str, Published]:
    return {figure.name: figure for figure in report.published}


def named(report: Report, name: str) -> tuple[float | None, str]:
    figure = figures(report)[name]
    return figure.ours, figure.note


# --- stages and bytes


def test_the_stages_of_fp16_are_the_published_ones() -> None:
    ours = [figure for figure in kernel().published if figure.unit == "cycles"]
    assert {figure.name: (figure.ours, figure.ratio) for figure in ours} == {
        "LOAD": (66, 1), "QK": (201, 1), "SV": (197, 1), "ZRED1": (195, 1), "ZRED2": (195, 1), "ROWSUM1": (195, 1),
        "ROWSUM2": (27, 1), "DIV&OUT": (179, 1), "interval of rows": (201, 1),
    }  # fmt: skip


def test_of_fp32_only_the_interval_and_the_dsps_are_published() -> None:
    found = figures(kernel(settings={"format": "fp32"}))
    assert list(found)[5:] == ["interval of rows", "DSPs of the U55C"]
    assert (found["interval of rows"].ours, found["interval of rows"].ratio) == (264, 1)


def test_a_changed_stage_is_set_beside_the_published_one() -> None:
    found = figures(kernel(settings={"sv_interval": 1}))
    assert found["SV"].ours == 69
    assert found["SV"].ratio == pytest.approx(69 / 197)


def test_a_window_moves_each_row_of_q_k_v_and_z_once() -> None:
    assert named(kernel(700), BYTES) == (512, "mean of a head, its prologue included")


def test_bytes_of_other_patterns_are_said_and_not_compared() -> None:
    value, note = named(kernel(256, pattern="block_local(64, 1, forward=1)"), BYTES)
    assert value is None
    assert note == (
        "not comparable: theirs is of a window in one pass; block_local(64, 1, forward=1) in 1 pass takes 512 B"
    )
    twice = named(kernel(1024, pattern="window(512, 511)"), BYTES)[1]
    assert twice.startswith("not comparable: theirs is of a window in one pass; window(512, 511) in 2 passes takes 1,")


@pytest.mark.parametrize(
    ("pattern", "keys"),
    [
        ("window(256, 255)", 512),
        ("window(256, 256)", 513),
        ("window(511)", None),  # causal: sliding chunks have keys on both sides
        ("window(255, 256)", None),
        ("window(128, 127, dilation=2)", None),
        ("window(0)", None),
        ("window(256, 256) | global(1)", None),
        ("full", None),
    ],
)
def test_only_a_window_with_keys_on_both_sides_is_one_of_sliding_chunks(pattern: str, keys: int | None) -> None:
    assert window_keys(parse_pattern(pattern)) == keys


# --- ratios


def test_a_head_counts_as_twelve_of_butterflys_layers() -> None:
    one, twelve = kernel(16_384), kernel(16_384, heads=12)
    seconds = 12 * 12 * 16_389 * 201 / 300e6
    for report in (one, twelve):
        value, note = named(report, BTF_2)
        assert value == pytest.approx(butterfly().attention_s(16_384, 2) / seconds)
        assert note.startswith("12 layers, 2 of them softmax: a modelled 12,678.2 ms over our 1,581.2 ms; ")
    assert figures(one)[BTF_2].ratio == pytest.approx(0.3644, abs=1e-4)


def test_the_ratio_is_of_one_length() -> None:
    value, note = named(kernel(4096), BTF_2)
    assert value is None
    assert note.startswith("not comparable: theirs is at 16,384 tokens, ours at 4,096 is 2.025x; 12 layers")


def test_energies_are_those_of_attention_alone() -> None:
    report = kernel(16_384, settings={"energy": "u55c"})
    assert report.energy
    seconds = 12 * 12 * 16_389 * 201 / 300e6
    joules = report.energy.mean_power_w * seconds / 12
    assert named(report, ENERGY_2)[0] == pytest.approx(
        butterfly().attention_s(16_384, 2) * butterfly().power_w / (12 * joules)
    )
    shape = SlidingChunks(tokens=16_384, overlap=256, heads=12, head_dim=64)
    gpu = sliding_chunks(shape, find_device("mi210"), "fp16")
    assert named(report, GPU)[0] == pytest.approx(gpu.energy_j / joules)


def test_the_companions_power_is_not_attentions() -> None:
    report = run(load_workload("swat_kernel", tokens=16_384), "swat", {"energy": "u55c"})
    value, note = named(report, ENERGY_2)
    assert (value, note) == (
        None, "not comparable: our power is that of the companion too; companion=none leaves it out"
    )  # fmt: skip
    assert named(report, BTF_2)[0] is not None


def test_without_a_table_energy_is_not_compared() -> None:
    assert named(kernel(16_384, settings={"energy": "off"}), ENERGY_2) == (None, "not comparable: energy is off")


def test_layers_that_differ_have_no_one_ratio() -> None:
    """ModernBERT's first layer sees everything, the next two a window."""
    workload = load_workload("modernbert_base", tokens=128, layers=3)
    found = figures(run(workload, "swat", {"companion": "none"}))
    for name in (BTF_2, ENERGY_2, GPU, BYTES):
        assert found[name].ours is None
        assert "theirs is of one attention, and this run has 2 that differ" in found[name].note
    assert found["QK"].ours == 201


# --- cells


def test_cells_are_those_of_the_pipeline_without_the_companion() -> None:
    alone = kernel()
    beside = run(load_workload("swat_kernel", tokens=SHORT), "swat")
    assert alone.fpga
    for name in ("DSPs", "LUTs", "flip-flops", "block RAMs"):
        figure = f"{name} of the U55C"
        assert named(alone, figure)[0] == named(beside, figure)[0]
    assert named(alone, "DSPs of the U55C")[0] == pytest.approx(alone.fpga.used.dsp / 9024)
    assert named(alone, "DSPs of the U55C")[1] == "estimates of the contracts"
    assert named(beside, "DSPs of the U55C")[1] == "estimates of the contracts, without the companion"


def test_shares_of_another_board_are_not_the_u55cs() -> None:
    assert named(kernel(settings={"board": "zcu102"}), "LUTs of the U55C") == (
        None, "not comparable: ours is on a zcu102"
    )  # fmt: skip


# --- what nothing is claimed of


@pytest.mark.parametrize(
    "settings", [{"cores": 256}, {"pipelines": 2}, {"head_dim": 128}], ids=lambda each: next(iter(each))
)
def test_other_designs_have_no_published_figures(settings: Mapping[str, Any]) -> None:
    assert kernel(settings=settings).published == []


def test_neither_have_other_sizes_of_heads() -> None:
    assert kernel(head_dim=32).published == []

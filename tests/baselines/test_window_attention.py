"""A run of window attention beside what it is compared with."""

from dataclasses import replace

import pytest

from hwsim.baselines import find_device
from hwsim.baselines.butterfly import butterfly
from hwsim.baselines.dense_engine import DenseEngine
from hwsim.baselines.sliding_chunks import SlidingChunks, sliding_chunks
from hwsim.baselines.window_attention import AttentionRun, attention_ratios
from hwsim.data_file import read_data
from hwsim.errors import MachineError
from hwsim.report.published import PublishedFigure, published_beside, read_published

# 12 heads of (16,384 + 6 - 1) rows every 201 cycles at 300 MHz, at 40 W.
SECONDS = 12 * 16_389 * 201 / 300e6
RUN = AttentionRun(
    tokens=16_384, keys=512, heads=12, head_dim=64, format="fp16", attention_s=SECONDS, attention_j=40 * SECONDS,
)  # fmt: skip


def test_attention_is_set_against_attention() -> None:
    found = attention_ratios(RUN, softmax_layers=(0, 1, 12))
    theirs = [butterfly().attention_s(16_384, count) for count in (0, 1, 12)]
    assert [found[f"latency_butterfly_{count}"].value for count in (0, 1, 12)] == pytest.approx(
        [seconds / (12 * SECONDS) for seconds in theirs]
    )
    assert found["latency_butterfly_1"].note == (
        "12 layers, 1 of them softmax: a modelled 6,366.9 ms over our 1,581.2 ms; "
        "softmax layers by its dense baseline engine, not that of BTF-1 or BTF-2"
    )


def test_whole_layers_are_set_against_whole_layers() -> None:
    whole = attention_ratios(replace(RUN, layer_s=2 * SECONDS))["layer_butterfly_2"]
    assert whole.value == pytest.approx(butterfly().model_s(16_384, 2) / (12 * 2 * SECONDS))
    alone = attention_ratios(RUN)["layer_butterfly_2"]
    assert (alone.value, alone.note) == (None, "not comparable: attention alone was run")


def test_an_energy_is_a_power_times_a_time_and_every_power_is_named() -> None:
    found = attention_ratios(RUN)
    speed, energy = found["latency_butterfly_2"].value, found["energy_butterfly_2"]
    assert speed is not None
    assert energy.value == pytest.approx(speed * 25.858 / 40)
    assert "at its 25.858 W (M, of FFT layers) over our 40 W (modelled)" in energy.note
    own = attention_ratios(RUN, butterfly_w=11.355)["energy_butterfly_2"]
    assert own.value == pytest.approx(speed * 11.355 / 40)
    assert "its 11.355 W (given, of FFT layers)" in own.note
    assert "its 300 W busy and 90 W between kernels (A, of its TDP) over our 40 W" in found["energy_mi210"].note


def test_the_gpu_runs_sliding_chunks_of_the_same_window() -> None:
    found = attention_ratios(RUN)
    shape = SlidingChunks(tokens=16_384, overlap=256, heads=12, head_dim=64)
    modelled = sliding_chunks(shape, find_device("mi210"), "fp16")
    assert found["latency_mi210"].value == pytest.approx(modelled.latency_s / SECONDS)
    assert found["energy_mi210"].value == pytest.approx(modelled.energy_j / (40 * SECONDS))
    self_too = attention_ratios(replace(RUN, keys=513))["latency_mi210"]
    assert self_too.value == found["latency_mi210"].value  # Longformer's own window, i-256 to i+256


def test_without_energy_only_times_are_compared() -> None:
    found = attention_ratios(replace(RUN, attention_j=None))
    energies = [found[name] for name in ("energy_butterfly_1", "energy_butterfly_2", "energy_mi210")]
    assert [(ratio.value, ratio.note) for ratio in energies] == [(None, "not comparable: energy is off")] * 3
    assert found["latency_butterfly_1"].value is not None


def test_a_kernel_of_one_head_counts_as_twelve_in_turn() -> None:
    one = replace(RUN, heads=1, attention_s=SECONDS / 12, attention_j=40 * SECONDS / 12)
    found, twelve = attention_ratios(one), attention_ratios(RUN)
    for name in ("latency_butterfly_1", "energy_butterfly_1", "latency_mi210", "energy_mi210"):
        assert found[name].value == pytest.approx(twelve[name].value), name


def test_what_cannot_be_compared_says_why() -> None:
    wide = attention_ratios(replace(RUN, head_dim=128))["latency_butterfly_1"]
    assert wide.note == "not comparable: heads of 128, and the tables of Butterfly are of 64"
    long = attention_ratios(replace(RUN, tokens=32_768))["energy_butterfly_1"]
    assert long.note == "not comparable: Butterfly: 32,768 tokens, but its tables go from 512 to 16,384"
    many = attention_ratios(replace(RUN, heads=16, layer_s=1.0))["layer_butterfly_1"]
    assert many.note == "not comparable: layers of 16 heads, and the tables of Butterfly are of 12"
    random = attention_ratios(replace(RUN, keys=None))["energy_mi210"]
    assert random.note == "not comparable: no window alone, and sliding chunks are for one"


def test_dense_attention_on_the_same_dsps() -> None:
    engine = DenseEngine(dsps=1536, dsps_per_mac=3, clock_hz=300e6)
    found = attention_ratios(RUN, dense=engine)["latency_dense"]
    assert found.value == pytest.approx(2 * 16_384**2 * 64 / 512 / (16_389 * 201))
    assert found.note.startswith("all pairs on 512 modelled units of 3 DSPs, 512 products a cycle: ")


def test_a_run_of_nothing_is_refused() -> None:
    text = "^attention: expected tokens, heads, head_dim and seconds above 0, got 16384, 0, 64 and 0.131768$"
    with pytest.raises(MachineError, match=text):
        replace(RUN, heads=0)


PUBLISHED = read_data("hwsim.machines.swat", "published.yaml")


def test_the_published_ratios_find_ours() -> None:
    figures = read_published(PUBLISHED["figures"])
    found = published_beside(figures, "swat_kernel", attention_ratios(RUN), tokens=16_384)
    assert [(figure.theirs[:9], figure.ours is not None) for figure in found] == [
        ("up to 22x", True), ("up to 22x", True), ("up to 5.7", True), ("up to 5.7", True), ("15x, at a", True),
    ]  # fmt: skip


def test_the_published_latency_is_that_of_one_length() -> None:
    short = replace(RUN, tokens=4096, attention_s=SECONDS / 4, attention_j=10 * SECONDS)
    figures = read_published(PUBLISHED["figures"])
    latency, *_ = published_beside(figures, "swat_kernel", attention_ratios(short), tokens=4096)
    assert latency.ours is None
    assert latency.note.startswith("not comparable: theirs is at 16,384 tokens, ours at 4,096 is 1.031x; 12 layers, 1")


def test_every_published_figure_of_a_format_is_read() -> None:
    formats = {name: read_published(entries) for name, entries in PUBLISHED["formats"].items()}
    cycles = {figure.name: figure.value for figure in formats["fp16"] if figure.unit == "cycles"}
    assert cycles == {
        "LOAD": 66, "QK": 201, "SV": 197, "ZRED1": 195, "ZRED2": 195, "ROWSUM1": 195, "ROWSUM2": 27, "DIV&OUT": 179,
        "interval of rows": 201,
    }  # fmt: skip
    assert {figure.grade for figures in formats.values() for figure in figures} == {"M", "C"}


def test_a_length_that_a_run_does_not_have_is_not_comparable() -> None:
    figure = PublishedFigure(name="f", theirs="2x", value=2, grade="S", ours="o", unit="x", tokens=8)
    (found,) = published_beside([figure], "any", {"o": attention_ratios(RUN)["latency_mi210"]})
    assert found.note.startswith("not comparable: theirs is at 8 tokens, ours at no one length is 0.0335x; 12 heads by")

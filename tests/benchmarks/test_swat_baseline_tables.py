"""The tables of benchmarks/swat.py that set SWAT beside its baselines, from runs that are made up."""

from pathlib import Path

from benchmarks.swat_baseline_tables import (
    Layer,
    butterfly_table,
    chunk_table,
    dense_table,
    energy_table,
    layer_table,
)
from hwsim.baselines.dense_engine import DenseEngine
from tests.benchmarks.swat_points import POINTS, cells, lockstep


def test_the_ratio_to_butterfly_is_linear_in_the_softmax_layers() -> None:
    rows = cells(butterfly_table(POINTS, (0, 1, 2, 12)))
    assert rows[0] == ["512", "4.157", "0.04x", "0.16x", "0.28x", "1.48x", "above 12"]
    assert rows[2] == ["16,384", "131.768", "0.04x", "4.03x", "8.02x", "47.93x", "5.50"]


def test_whole_layers_of_butterfly() -> None:
    (row,) = cells(layer_table([Layer(tokens=4096, seconds=0.1, attention_s=0.04)], (0, 12)))
    assert row == ["4,096", "100.000", "40.000", f"{41.653 / 1200:.2f}x", f"{5971.9 / 1200:.2f}x"]


def test_energies_name_every_power() -> None:
    lines = list(energy_table(POINTS, (2,), watts=40, butterfly_w=20))
    assert lines[:3] == [
        "- SWAT: 40.0 W at 16,384 tokens (given).",
        "- Butterfly: 20 W (given), in all of its layers (A).",
        "- AMD Instinct MI210: 300 W busy, 90 W between kernels (A, of its TDP).",
    ]
    row = cells(iter(lines))[2]
    assert row[:3] == ["16,384", "40.0", "4.01x"]
    assert row[-1] == f"{15 * 40 / 300 * 131.76756:.1f} ms"


def test_the_published_ratios_together_are_one_of_powers() -> None:
    """At equal lengths, 5.7 times the energy in 22 times the time is a power of 5.7 / 22."""
    (line,) = [line for line in energy_table(POINTS, (2,), watts=40, butterfly_w=20) if "22x" in line]
    assert line.endswith(
        "Butterfly would take 0.259 of SWAT's power: 10.4 W beside ours, or SWAT 77.2 W beside its own."
    )


def test_a_runs_own_energy_gives_its_power() -> None:
    point = lockstep(512, joules=30 * 103_917 / 300e6)
    assert cells(energy_table([point], (1,)))[0][1] == "30.0"


def test_dense_attention_on_the_same_dsps() -> None:
    engine = DenseEngine(dsps=1024, dsps_per_mac=1, clock_hz=300e6)
    rows = cells(dense_table(POINTS, {"a": engine}))
    assert [row[2] for row in rows] == ["0.32x", "2.54x", "10.19x"]


def test_chunks_over_tokens() -> None:
    rows = cells(chunk_table((512, 4096)))
    assert [row[:4] for row in rows] == [["512", "1", "25.00%", "24.90%"], ["4,096", "15", "48.33%", "48.24%"]]
    assert {row[5] for row in rows} == {"0.260"}  # 26 kernels


def test_the_docs_say_what_the_chunks_print() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "baselines.md").read_text()
    assert "\n".join(chunk_table((512, 1024, 2048, 4096, 8192, 16_384))) in docs

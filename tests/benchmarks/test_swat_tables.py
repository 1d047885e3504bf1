"""The tables of benchmarks/swat.py, from latencies that are made up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.swat_tables import (
    Point,
    butterfly_table,
    chunk_table,
    configuration_table,
    dense_table,
    energy_table,
    latency_table,
    layer_table,
    line_residual,
)
from hwsim.baselines.dense_engine import DenseEngine

LENGTHS = (512, 4096, 16_384)


def lockstep(tokens: int, *, interval: int = 201, heads: int = 1) -> Point:
    return Point(tokens=tokens, heads=heads, cycles=heads * (tokens + 5) * interval, clock_hz=300e6)


POINTS = [lockstep(tokens) for tokens in LENGTHS]


def cells(lines: Iterator[str]) -> list[list[str]]:
    """The rows of a table below its head."""
    rows = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_a_line_has_no_residual_and_a_parabola_has_one() -> None:
    assert line_residual(POINTS) == pytest.approx(0, abs=1e-12)
    bent = [Point(tokens=tokens, heads=1, cycles=tokens**2, clock_hz=1e6) for tokens in LENGTHS]
    assert line_residual(bent) > 0.3


def test_latencies_over_tokens() -> None:
    rows = cells(latency_table({"FP16": POINTS, "FP32": [lockstep(tokens, interval=264) for tokens in LENGTHS]}))
    assert rows == [
        ["512", "103,917", "136,488"],
        ["4,096", "824,301", "1,082,664"],
        ["16,384", "3,294,189", "4,326,696"],
        ["residual of a line", "0.0000%", "0.0000%"],
    ]


def test_configurations_side_by_side() -> None:
    one = Point(
        tokens=10, heads=12, cycles=3000, clock_hz=3e6, offchip_bytes=2 * 4 * 10 * 64 * 12, pairs=12 * 10 * 4
    )  # fmt: skip
    two = Point(tokens=10, heads=12, cycles=1500, clock_hz=3e6, offchip_bytes=3 * 4 * 10 * 64 * 12, pairs=12 * 15)
    assert cells(configuration_table({"window": one, "dual": two}, "window")) == [
        ["window", "3,000", "1.000", "1.000", "4.0", "1.0000"],
        ["dual", "1,500", "0.500", "0.500", "1.5", "1.5000"],
    ]


def test_the_ratio_to_butterfly_is_linear_in_the_softmax_layers() -> None:
    rows = cells(butterfly_table(POINTS, (0, 1, 2, 12)))
    assert rows[0] == ["512", "4.157", "0.04x", "0.16x", "0.28x", "1.48x", "above 12"]
    assert rows[2] == ["16,384", "131.768", "0.04x", "4.03x", "8.02x", "47.93x", "5.50"]


def test_whole_layers_of_butterfly() -> None:
    (row,) = cells(layer_table({4096: 0.1}, (0, 12)))
    assert row == ["4,096", "100.000", f"{41.653 / 1200:.2f}x", f"{5971.9 / 1200:.2f}x"]


def test_energies_name_every_power() -> None:
    lines = list(energy_table(POINTS, (2,), watts=40, butterfly_w=20))
    assert lines[0].startswith("Butterfly: 20 W (given) in all layers. AMD Instinct MI210: 300 W busy, 90 W between")
    assert lines[0].endswith("Published: up to 5.7x and 15x.")
    row = cells(iter(lines))[2]
    assert row[:3] == ["16,384", "40.0", "4.009x"]
    assert row[-1] == f"{15 * 40 / 300 * 131.76756:.3f} ms"


def test_a_runs_own_energy_gives_its_power() -> None:
    (point,) = [
        Point(tokens=512, heads=1, cycles=300, clock_hz=300, joules=30),
    ]
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

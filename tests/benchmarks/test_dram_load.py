"""The script that draws bandwidth and latency over load of every standard."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "dram_load.py"


def test_it_prints_a_row_a_standard_and_draws_the_same_figure_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "a.svg", tmp_path / "b.svg"
    for figure in figures:
        arguments = ["--requests", "1000", "--standards", "ddr4_2133", "hbm2", "--figure", str(figure)]
        monkeypatch.setattr("sys.argv", ["dram_load", *arguments])
        runpy.run_path(str(SCRIPT), run_name="__main__")
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| hbm2 | 32.00 GB/s | ")]
    assert len(rows) == 4  # two patterns, twice
    assert rows[:2] == rows[2:]
    assert figures[0].read_bytes() == figures[1].read_bytes()

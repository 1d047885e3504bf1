"""The pages of `hwsim dram`, opened in a browser that can reach nothing."""

import re
from pathlib import Path

import numpy as np
import pytest

from hwsim.cli import main
from hwsim.dram.standards.load import load_standard
from hwsim.replay.dram import run_memory
from hwsim.report.html.memory_figures import commands_figure, distribution_figure, hits_figure
from tests.report.browser import drawn_figures, find_browser

OF_A_PLAY = ["hits", "accesses", "commands", "distribution"]


def write(file: Path, *arguments: str) -> str:
    assert main(["dram", "ddr4_2133", *arguments, "--quiet", "--html", str(file)]) == 0
    return file.read_text()


@pytest.fixture(scope="module")
def browser() -> str:
    return find_browser()


def test_a_sweep_draws_load_and_the_play_at_the_knee(tmp_path: Path, browser: str) -> None:
    file = tmp_path / "sweep.html"
    text = write(file, "--pattern", "random", "--requests", "5000", "--load-sweep")
    assert drawn_figures(browser, file, tmp_path) == ["load", "loads", *OF_A_PLAY]
    assert "default-src 'none'" in text
    assert re.search(r"At the knee, \d\d\.\d% of saturation", text)
    assert "at most 2 times the unloaded one" in text


def test_a_run_of_a_pattern_is_shown_with_its_sweep(tmp_path: Path, browser: str) -> None:
    file = tmp_path / "run.html"
    text = write(file, "--requests", "4000", "--channels", "2", "--read-share", "0.5")
    assert drawn_figures(browser, file, tmp_path) == ["load", "loads", *OF_A_PLAY]
    assert "<h2>This run</h2>" in text


def test_the_energy_of_a_run_is_on_its_page(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.html", "--requests", "500")
    text = write(tmp_path / "energy.html", "--requests", "500", "--energy")
    assert 'id="energy"' not in plain
    assert re.search(r"pJ/bit, [\d.,]+ mW on average\. Currents of .+ \(grade [A-Z]\)", text)
    assert "<td>activate and precharge</td>" in text


def test_a_file_of_requests_is_shown_without_a_sweep(tmp_path: Path, browser: str) -> None:
    trace, file = tmp_path / "</title><b>.trace", tmp_path / "run.html"
    trace.parent.mkdir(parents=True, exist_ok=True)
    trace.write_text("LD 0\nST 64\nLD 0x100000\n")
    text = write(file, "--pattern", str(trace))
    assert drawn_figures(browser, file, tmp_path) == OF_A_PLAY
    assert "</title><b>.trace" not in text


def test_latencies_count_from_the_arrivals_of_a_file(tmp_path: Path) -> None:
    trace = tmp_path / "timed.trace"
    trace.write_text("LD 0 @5\nLD 64 @1000\n")
    assert "Counted from the arrival of a request" in write(tmp_path / "timed.html", "--pattern", str(trace))
    trace.write_text("LD 0\nLD 64 @1000\n")
    assert "Counted from the cycle in which" in write(tmp_path / "half.html", "--pattern", str(trace))


def test_the_same_sweep_gives_the_same_page(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, "--requests", "2000", "--load-sweep") for name in ("a.html", "b.html"))
    assert first == second


def test_the_figures_hold_what_was_counted() -> None:
    served = run_memory("ddr4_2133", "random", requests=3000, read_share=0.6).served
    standard = load_standard("ddr4_2133")
    cells = hits_figure(served, standard).data[0]
    assert cells.z.shape == (4, 4)
    assert re.fullmatch(r"channel 0, bank group 1, bank 2: \d+ accesses, \d+ activates", cells.customdata[1][2])
    bars = commands_figure(served).data[0]
    assert dict(zip(bars.y, bars.x, strict=True)) == served.commands
    kinds = distribution_figure({"read": served.read_latencies, "write": served.write_latencies}, 0.9375).data
    assert [round(float(np.sum(kind.y)), 6) for kind in kinds] == [100, 100]


def test_a_bank_without_accesses_has_no_hit_rate(tmp_path: Path) -> None:
    trace = tmp_path / "one.trace"
    trace.write_text("LD 0\nLD 0x100\n")
    served = run_memory("ddr4_2133", str(trace)).served
    shares = hits_figure(served, load_standard("ddr4_2133")).data[0].z
    assert shares[0][0] == 50
    assert np.isnan(shares).sum() == 15

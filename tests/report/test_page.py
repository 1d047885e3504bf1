"""The page of a run, opened in a browser that can reach nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from hwsim.cli import main
from hwsim.pipeline import load_workload, run_in_detail
from hwsim.report.details import Details
from hwsim.report.html import page
from tests.report.browser import HEIGHT, WIDTH, drawn_figures, find_browser, opened

FIGURES = ("kinds", "units", "bound", "latency", "roofline", "memory", "rows", "banks")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "page.html"
    sets = ["--set", "workload.layers=2", "--set", "workload.prompt=3", "--set", "channels=4"]
    assert main(["run", "gpt2", "--tokens", "40", *sets, "--quiet", "--html", str(file)]) == 0
    return file


@pytest.fixture(scope="module")
def browser() -> str:
    return find_browser()


def test_the_page_is_whole_in_itself(written: Path) -> None:
    text = written.read_text()
    assert not re.search(r"<(script|img|iframe|link)[^>]*\s(src|href)=", text.replace(js_of(text), ""))
    assert "default-src 'none'" in text
    for expected in ("timing.tRCD_ns", "unconfirmed", "speed-up over NVIDIA T4", "set by the user"):
        assert expected in text


def js_of(text: str) -> str:
    """plotly.js as it lies in a page."""
    return max(re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL), key=len)


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    files = tmp_path / "a.html", tmp_path / "b.html"
    for file in files:
        assert main(["run", "gpt2", "--tokens", "1", "--quiet", "--html", str(file)]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_every_figure_is_drawn_without_a_network(written: Path, browser: str, tmp_path: Path) -> None:
    assert drawn_figures(browser, written, tmp_path) == list(FIGURES)


def test_the_screenshot_shows_the_figures(written: Path, browser: str, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    opened(browser, written, tmp_path / "profile", f"--screenshot={shot}")
    with Image.open(shot) as image:
        assert image.size == (WIDTH, HEIGHT)
        counts = {colour: count for count, colour in image.convert("RGB").getcolors(maxcolors=1 << 24)}
    # bars of kinds, parts above the bound, busy units, free rows: areas in the figures' own colours
    for colour in ("#2f6db3", "#e08214", "#3a9b62", "#c9ced6"):
        assert counts.get(tuple(bytes.fromhex(colour[1:])), 0) > 500, colour


def test_what_a_machine_does_not_tell_is_left_out() -> None:
    report, _ = run_in_detail(load_workload("gpt2", tokens=1, layers=1))
    text = page(report, Details())
    assert 'id="figure-kinds"' in text
    assert not [name for name in ("latency", "roofline", "memory", "banks") if f'id="figure-{name}"' in text]


def test_text_of_users_cannot_become_markup() -> None:
    evil = "</script><script>alert(1)</script>"
    report, details = run_in_detail(load_workload("gpt2", tokens=1, layers=1))
    units = [unit.model_copy(update={"source": evil}) for unit in report.units]
    assert evil not in page(report.model_copy(update={"bottleneck": evil, "units": units}), details())


def test_a_run_without_a_page_loads_no_plotly() -> None:
    script = (
        "import sys; from hwsim.cli import main; main(['run', 'gpt2', '--tokens', '1', '--quiet']); "
        "print([m for m in ('plotly', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_two_results_in_one_file_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = str(tmp_path / "a")
    assert main(["run", "gpt2", "--json", same, "--html", same]) == 2
    assert capsys.readouterr().err == f"hwsim: error: --json and --html: both would write {same}\n"

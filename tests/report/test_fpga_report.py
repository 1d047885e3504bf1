"""An encoder on an FPGA: its report has neither tokens nor DRAM commands, and is shown and compared all the same."""

import io
import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from rich.console import Console

from hwsim.cli import main
from hwsim.pipeline import load_workload, run
from hwsim.report.html import page
from hwsim.report.read import read_report
from hwsim.report.render import render
from hwsim.report.schema import AxiPortUse, Report
from tests.report.browser import drawn_figures, find_browser
from tests.report.synthetic import fpga_details, fpga_report

CAPTURE = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def report() -> Report:
    return fpga_report()


def shown(report: Report) -> str:
    text = io.StringIO()
    render(report, Console(width=180, file=text))
    return text.getvalue()


def test_sections_that_a_run_has_not_are_absent(report: Report, tmp_path: Path) -> None:
    written = json.loads(report.to_json())
    assert not {"decoding", "dram", "devices"} & set(written)
    assert written["throughput"] == {"value": 10_000.0, "unit": "images", "count": 16}
    file = tmp_path / "a.json"
    file.write_text(report.to_json())
    assert read_report(file) == report


def test_units_say_what_they_waited_for_and_whether_rtl_proves_them(report: Report) -> None:
    linear, axi = report.unit("linear"), report.unit("axi")
    assert [(stall.cause, stall.cycles) for stall in linear.stalls] == [("waits for x", 50_000), ("y is full", 30_000)]
    assert (linear.proven, linear.source.startswith("rtl")) == (True, True)
    assert (axi.proven, axi.source) == (False, "a burst a cycle (assumed)")


def test_resources_stand_beside_what_the_part_has(report: Report) -> None:
    fpga = report.fpga
    assert fpga
    lut = report.resource("fpga", "lut")
    assert (lut.used, lut.available) == (sum(unit.cells.lut for unit in fpga.units), 274_080)
    assert fpga.fits
    assert [(unit.unit, unit.count) for unit in fpga.units] == [("linear", 1), ("softmax", 1), ("norm", 2)]


def test_fits_is_what_the_counts_say(report: Report) -> None:
    assert report.fpga
    document = report.fpga.model_dump()
    with pytest.raises(ValidationError, match="fits is True, but lut is short"):
        type(report.fpga).model_validate({**document, "available": {**document["available"], "lut": 1}})
    with pytest.raises(ValidationError, match="fits is False, but nothing is short"):
        type(report.fpga).model_validate({**document, "fits": False})


def test_loads_are_stated_with_mean_and_p99(report: Report) -> None:
    assert report.loads
    routing, kept = report.loads
    assert (routing.source, routing.seed, routing.mean, routing.p99) == ("zipf", 7, (4950 + 400) / 101, 99)
    assert (kept.source, kept.seed, kept.mean, kept.p99) == ("histogram", None, 12, 12)


def test_the_terminal_speaks_of_images(report: Report) -> None:
    out = shown(report)
    for expected in (
        "vit_base on toy_fpga: 16 images, schedule dataflow",
        "10,000.0 images/s",
        "time of an image",
        "waits for x 10.4%, y is full 6.2%",
        "The bound is all multipliers busy in every cycle.",
        "FPGA: xczu9eg-ffvb1156-2-e on zcu102, fits",
        "300 MHz (reached: no place and route made)",
        "41.2 of 76.8 GMAC/s (53.6%)",
        "zipf, seed 7",
        "no source says how wide",
    ):
        assert expected in out
    for absent in ("token", "DRAM,", "row-hit", "Energy by", "Devices"):
        assert absent not in out.replace("tokens an expert", "").replace("12 tokens", "")


def test_the_page_shows_what_there_is(report: Report) -> None:
    text = page(report, fpga_details())
    body = text[text.index("<body>") :]
    for expected in ("10,000.0 images/s", 'id="figure-fpga"', "DSPs", "xczu9eg", "zipf, seed 7", "weight buffers"):
        assert expected in body
    for absent in ('id="dram"', 'id="latency"', 'id="memory"', "time to first token", "row-hit"):
        assert absent not in body


def test_what_is_included_and_what_nobody_counted_is_named(report: Report) -> None:
    assert report.fpga
    assert (report.fpga.included, report.fpga.uncounted) == ({"banks": "linear"}, ["axi"])
    for text in (shown(report), page(report, fpga_details())):
        assert "linear includes banks" in text
        assert "not counted, since no contract says what they take: axi" in text


def test_a_design_that_does_not_fit_says_what_is_lacking() -> None:
    report = fpga_report(board="zcu104", linear_units=3)
    assert report.fpga
    assert report.fpga.lacking == {"dsp": 2_029 - 1_728, "bram36": 533 - 312}
    for text in (shown(report), page(report, fpga_details())):
        assert "lacks 301 DSP (2,029 of 1,728), 221 BRAM36 (533 of 312)." in text


def test_energy_is_shown_with_all_its_coefficients() -> None:
    report = fpga_report(energy="zcu102", energy_table={"dsp_pj": 5})
    assert report.energy
    assert report.energy.joules_per_mac == pytest.approx(report.energy.joules / 66e6)
    out, text = shown(report), page(report, fpga_details())
    assert f"Energy by table zcu102, mean power {report.energy.mean_power_w:.2f} W" in out
    assert "energy_table.logic_pj_per_lut" in out
    assert "energy_table.dsp_pj" not in out[out.index("Unconfirmed") :]  # set by the user
    assert "<code>dsp_pj</code>" in text


def test_the_page_has_the_ports(report: Report) -> None:
    port = AxiPortUse(
        port="inout1",
        direction="read",
        transactions=1_234,
        size_bytes=1 << 20,
        bytes_per_s=2.5e9,
        busy_cycles=65_536,
        utilisation=0.25,
        cycles_per_single_beat=7.5,
    )
    text = page(report.model_copy(update={"ports": [port]}), fpga_details())
    row = text[text.index('<section id="ports">') :].split("<tr>")[2]
    for expected in ("inout1", "read", "1,234", "1.00 MiB", "2.50 GB/s", "25.0%", "7.50"):
        assert expected in row
    assert 'id="ports"' not in page(report, fpga_details())


def test_a_browser_draws_its_figures(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(report, fpga_details()))
    found = drawn_figures(find_browser(), file, tmp_path / "profile")
    assert found == ["kinds", "units", "bound", "roofline", "fpga"]


def test_it_is_compared_with_a_decoder_and_what_cannot_be_is_said(
    report: Report, tmp_path: Path, capsys: CAPTURE
) -> None:
    ours, theirs = tmp_path / "fpga.json", tmp_path / "gpt2.json"
    ours.write_text(report.to_json())
    theirs.write_text(run(load_workload("gpt2", tokens=2, layers=1)).to_json())
    assert main(["compare", str(theirs), str(ours), "--json", "-"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["notes"] == [
        "throughput: A in tokens/s, B in images/s; different things come out, so there is no ratio",
        "cycles: A in 1 GHz, B in 300 MHz; compare the latencies",
        "decoding (tokens one by one): in A, not in B",
        "dram (DRAM commands): in A, not in B",
        "fpga (cells of an FPGA): in B, not in A",
        "loads (work that depends on data): in B, not in A",
        "energy: not modelled in B",
    ]
    throughputs = [figure for figure in result["figures"] if figure["name"] == "throughput"]
    assert [(f["unit"], f["values"][1], f["ratios"][1]) for f in throughputs] == [
        ("tokens/s", None, None),
        ("images/s", 10_000.0, None),
    ]
    assert main(["compare", str(theirs), str(ours)]) == 0
    assert "10,000.0 images/s" in capsys.readouterr().out


def test_two_of_them_differ_by_what_was_set(report: Report, tmp_path: Path, capsys: CAPTURE) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    files[0].write_text(report.to_json())
    files[1].write_text(fpga_report(board="u55c").to_json())
    assert main(["compare", *map(str, files), "--json", "-"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["differences"] == [{"name": "board", "values": ["zcu102", "u55c"]}]
    assert result["notes"] == []
    ratio = next(figure for figure in result["figures"] if figure["name"] == "fpga lut")["ratios"]
    assert ratio == [1.0, 1.0]


def test_origins_stand_in_a_word_with_a_note_below(report: Report) -> None:
    """The whole origin in each row made a table of wrapped lines."""
    assert report.fpga
    origins = list(dict.fromkeys(unit.origin for unit in report.fpga.units))
    text = page(report, fpga_details())
    out = shown(report)
    for origin in origins:
        assert out.count(origin) == 1
        assert f'<p class="quiet">from {origin}</p>' in text
        word = origin.split()[0]
        assert f"<td>{word}</td>" in text

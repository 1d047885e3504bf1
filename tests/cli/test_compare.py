"""Reports side by side."""

import json
from pathlib import Path
from typing import Any

import pytest

from hwsim.cli import main

CAPTURE = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("reports")
    files = folder / "a.json", folder / "b.json"
    for file, channels in zip(files, (8, 16)):
        sets = ["--set", f"channels={channels}", "--set", "workload.layers=1"]
        assert main(["run", "gpt2", "--tokens", "2", *sets, "--quiet", "--json", str(file)]) == 0
    return files


def compared(files: tuple[Path, ...], capsys: CAPTURE) -> dict[str, Any]:
    assert main(["compare", *map(str, files), "--json", "-"]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_ratios_are_to_the_first_and_only_what_was_set_differs(reports: tuple[Path, Path], capsys: CAPTURE) -> None:
    result = compared(reports, capsys)
    a, b = (json.loads(file.read_text()) for file in reports)
    latency = next(figure for figure in result["figures"] if figure["name"] == "latency")
    assert latency["values"] == [a["latency_s"], b["latency_s"]]
    assert latency["ratios"] == [1.0, b["latency_s"] / a["latency_s"]]
    assert result["differences"] == [{"name": "channels", "values": [8, 16]}]
    groups = {"headline", "kinds", "units", "memories", "resources", "dram", "commands"}
    assert {figure["group"] for figure in result["figures"]} == groups
    assert result["notes"] == []


def test_the_tables_show_every_group(reports: tuple[Path, Path], capsys: CAPTURE) -> None:
    assert main(["compare", *map(str, reports), str(reports[0])]) == 0
    out = capsys.readouterr().out
    for expected in ("Headline", "B/A", "C/A", "attention_scores", "asic.adders", "MAC16", "channels", "Settings that"):
        assert expected in out


def test_a_field_of_the_workload_that_differs_is_named(
    reports: tuple[Path, Path], tmp_path: Path, capsys: CAPTURE
) -> None:
    other = tmp_path / "c.json"
    sets = ["--set", "workload.layers=2"]
    assert main(["run", "gpt2", "--tokens", "2", *sets, "--quiet", "--json", str(other)]) == 0
    assert compared((reports[0], other), capsys)["differences"] == [{"name": "workload.layers", "values": [1, 2]}]


def test_equal_reports_say_so(reports: tuple[Path, Path], capsys: CAPTURE) -> None:
    assert main(["compare", str(reports[0]), str(reports[0])]) == 0
    assert "No setting differs." in capsys.readouterr().out


def test_what_a_newer_report_has_beyond_is_no_mistake(
    reports: tuple[Path, Path], tmp_path: Path, capsys: CAPTURE
) -> None:
    document = json.loads(reports[0].read_text())
    document["units"][0]["of_tomorrow"] = 1
    other = tmp_path / "c.json"
    other.write_text(json.dumps({**document, "schema_version": "2.9", "of_tomorrow": [1]}))
    result = compared((other, reports[0]), capsys)
    assert (result["differences"], result["notes"]) == ([], [])


def test_a_section_that_one_report_lacks_is_named(reports: tuple[Path, Path], tmp_path: Path, capsys: CAPTURE) -> None:
    document = json.loads(reports[0].read_text())
    del document["dram"]
    other = tmp_path / "c.json"
    other.write_text(json.dumps({**document, "energy_j": None, "energy": None}))
    result = compared((reports[0], other), capsys)
    assert result["notes"] == ["dram (DRAM commands): in A, not in B", "energy: not modelled in B"]
    hits = next(figure for figure in result["figures"] if figure["name"] == "row-hit rate")
    assert (hits["values"][1], hits["ratios"][1]) == (None, None)
    assert main(["compare", str(reports[0]), str(other)]) == 0
    out = capsys.readouterr().out
    assert "Cannot be compared:" in out
    assert "—" in out


def test_cycles_of_different_clocks_have_no_ratio(reports: tuple[Path, Path], tmp_path: Path, capsys: CAPTURE) -> None:
    other = tmp_path / "aim.json"
    sets = ["--set", "workload.layers=1"]
    assert main(["run", "gpt2", "--machine", "aim", "--tokens", "2", *sets, "--quiet", "--json", str(other)]) == 0
    result = compared((reports[0], other), capsys)
    cycles = next(figure for figure in result["figures"] if figure["name"] == "cycles")
    assert (cycles["values"][1], cycles["ratios"]) == (json.loads(other.read_text())["cycles"], [None, None])
    assert result["notes"] == ["cycles: A in 1 GHz, B in 2 GHz; compare the latencies"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a report of hwsim run --json"),
        ('{"schema_version": "2.0"}', "not a report of hwsim run --json"),
        ('{"schema_version": 2, "latency_s": 1}', "not a report of hwsim run --json"),
        (
            '{"schema_version": "1.1", "latency_s": 1}',
            "report of schema 1.1, this hwsim reads those of schema 2.x; run it again",
        ),
        ('{"schema_version": "2.0", "latency_s": 1}', "not a report: hwsim_version: this field is required"),
        ('{"schema_version": "2.0", "latency_s": NaN}', "not JSON: NaN is no number"),
    ],
)
def test_what_is_no_report_is_one_line(
    text: str, message: str, reports: tuple[Path, Path], tmp_path: Path, capsys: CAPTURE
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(text)
    assert main(["compare", str(reports[0]), str(bad)]) == 2
    captured = capsys.readouterr()
    assert f"{bad}: {message}" in captured.err
    assert (captured.out, captured.err.count("\n")) == ("", 1)


def test_files_that_are_missing_or_too_few_are_named(reports: tuple[Path, Path], capsys: CAPTURE) -> None:
    assert main(["compare", str(reports[0]), "/nowhere.json"]) == 2
    assert capsys.readouterr().err == "hwsim: error: /nowhere.json: no such file\n"
    assert main(["compare", str(reports[0])]) == 2
    assert capsys.readouterr().err == "hwsim: error: compare: expected two or more reports, got 1\n"

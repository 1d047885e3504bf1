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
    assert {figure["group"] for figure in result["figures"]} == {"headline", "kinds", "units", "dram", "commands"}


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


@pytest.mark.parametrize("schema", ["1.0", "1.9"])
def test_what_a_report_lacks_or_has_beyond_is_no_mistake(
    schema: str, reports: tuple[Path, Path], tmp_path: Path, capsys: CAPTURE
) -> None:
    document = json.loads(reports[0].read_text())
    for field in ("energy_j", "workload_parameters", "dram", "units", "breakdown", "bound", "seed"):
        del document[field]
    other = tmp_path / "c.json"
    other.write_text(json.dumps({**document, "schema_version": schema, "latency_s": None, "of_tomorrow": [1]}))
    result = compared((other, reports[0]), capsys)
    latency = next(figure for figure in result["figures"] if figure["name"] == "latency")
    assert (latency["values"][0], latency["ratios"]) == (None, [None, None])
    assert result["differences"] == []
    assert main(["compare", str(other), str(reports[0])]) == 0
    assert "—" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a report of hwsim run --json"),
        ('{"schema_version": "1.0"}', "not a report of hwsim run --json"),
        ('{"schema_version": "2.0", "latency_s": 1}', "report of schema 2.0, this hwsim compares those of schema 1.x"),
        ('{"schema_version": "1.0", "latency_s": 1}', "not a report: machine: this field is required"),
        ('{"schema_version": "1.0", "latency_s": NaN}', "not JSON: NaN is no number"),
        (
            '{"schema_version": "1.0", "latency_s": 1, "machine": "m", "workload": "w", "units": 5}',
            "not a report: units",
        ),
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

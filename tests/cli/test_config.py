"""Saved settings: the names of --set in a file."""

import json
from pathlib import Path

import pytest

from hwsim.cli import main

CAPTURE = pytest.CaptureFixture[str]


def test_a_config_reaches_machine_and_workload_and_set_wins(tmp_path: Path, capsys: CAPTURE) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "channels: 16\ntiming: {tRCD_ns: 14}\nasic.adders: 64\nworkload: {layers: 1, tokens: 3}\nworkload.n_ctx: 2048\n"
    )
    arguments = ["run", "gpt2", "--config", str(file), "--set", "channels=4", "--tokens", "1", "--json", "-"]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    machine, workload = report["parameters"], report["workload_parameters"]
    assert (machine["channels"], machine["timing"]["tRCD_ns"], machine["asic"]["adders"]) == (4, 14, 64)
    assert (workload["layers"], workload["n_ctx"], workload["tokens"]) == (1, 2048, 1)


def test_explain_takes_a_config(tmp_path: Path, capsys: CAPTURE) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("workload: {layers: 1}\nchannels: 4\n")
    assert main(["explain", "gpt2", "--stage", "mapped", "--config", str(file)]) == 0
    assert capsys.readouterr().out.startswith("mapped gpt2: 4 channels x 16 banks")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chanels: 4\n", "mine.yaml: chanels: no such parameter; nearest: channels"),
        ("workload: {layer: 4}\n", "mine.yaml: workload.layer: no such field; nearest: layers"),
        ("timing: {tRCD_ns: 1}\ntiming.tRCD_ns: 2\n", "mine.yaml: timing.tRCD_ns is given twice"),
        ("machine: {channels: 1}\nchannels: 2\n", "mine.yaml: channels is given twice"),
        ("channels: -1\n", "pim_gpt: channels: input should be greater than or equal to 1"),
        ("[1, 2]\n", "mine.yaml: expected a mapping of names to values, found list"),
        ("channels: [1\n", "YAML syntax"),
    ],
)
def test_what_is_wrong_in_a_config_is_one_line(text: str, message: str, tmp_path: Path, capsys: CAPTURE) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    assert main(["run", "gpt2", "--config", str(file)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert (captured.out, captured.err.count("\n")) == ("", 1)


def test_a_config_that_is_not_there_is_named(capsys: CAPTURE) -> None:
    assert main(["run", "gpt2", "--config", "nowhere.yaml"]) == 2
    assert capsys.readouterr().err == "hwsim: error: nowhere.yaml: no such file\n"

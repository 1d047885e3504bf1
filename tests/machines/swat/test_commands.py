"""The command line with the machine swat: what `run`, `compare`, `explain`, `fit`, `machine` and `list` print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hwsim.cli import main
from hwsim.machines.swat import MACHINE
from tests.report.test_perfetto import read

CAPTURE = pytest.CaptureFixture[str]
RUN = ["run", "swat_kernel", "--tokens", "64"]


def out_of(arguments: list[str], capsys: CAPTURE) -> str:
    """What a command prints."""
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def json_of(arguments: list[str], capsys: CAPTURE) -> dict[str, Any]:
    found = json.loads(out_of([*arguments, "--json", "-"], capsys))
    assert isinstance(found, dict)
    return found


def test_a_run_prints_a_report(capsys: CAPTURE) -> None:
    out = out_of(RUN, capsys)
    for expected in (
        "swat_kernel on swat: 64 rows, schedule lockstep",
        "(13,869 cycles at 300 MHz)",
        "Bottleneck: qk: busy 92.8% of the time",
        "filling and emptying the stages",
        "Attention on cores that hold a key each; figures are of one head",
        "1  window(256, 255)",
        "cycles of a head                 13,869",
        "cycles of prologues               2,050",
        "moves of K                      1.000 x",
        "Energy by table u55c",
        "FPGA: xcu55c-fsvh2892-2L-e on u55c, fits",
        "Not included: loads before the first row of attention",
        "prologue=counted counts them",
        "Unconfirmed parameters",
    ):
        assert expected in out


def test_every_parameter_without_a_source_is_named_as_unconfirmed(capsys: CAPTURE) -> None:
    report = json_of(RUN, capsys)
    named = {parameter["name"]: parameter["grade"] for parameter in report["unconfirmed"]}
    given = MACHINE.spec_file.provenance
    own = {name for name in named if not name.startswith("energy_table.")}  # the table has its own origins
    assert own == {name for name, entry in given.items() if entry["grade"] in ("M", "A")}
    assert named["cores"] == named["qk_interval"] == "M"
    assert named["clock_hz"] == named["hbm.burst_bytes"] == "A"
    assert not {"reduction_group", "hbm.channels", "hbm.refresh"} & set(named)
    one = {entry["name"]: entry for entry in json_of([*RUN, "--set", "cores=128"], capsys)["unconfirmed"]}
    assert "cores" not in one


def test_the_json_is_the_same_to_the_byte(tmp_path: Path, capsys: CAPTURE) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    for file in (first, second):
        assert out_of([*RUN, "--set", "mode=elastic", "--quiet", "--json", str(file)], capsys) == ""
    assert first.read_bytes() == second.read_bytes()


def test_a_format_of_ones_own_is_not_needed(capsys: CAPTURE) -> None:
    """The kernel leaves its format to the machine."""
    narrow = [*RUN, "--set", "companion=none", "--set", "format=fp32"]
    report = json_of(narrow, capsys)
    assert report["cycles"] == (64 + 5) * 264
    assert (report["parameters"]["qk_interval"], report["parameters"]["qk_latency"]) == (4, 8)
    report = json_of([*narrow, "--set", "qk_interval=3"], capsys)
    assert report["cycles"] == (64 + 5) * 261  # SV is the slowest then


def test_a_trace_has_a_track_a_stage_and_a_slice_a_row(tmp_path: Path, capsys: CAPTURE) -> None:
    file = tmp_path / "run.pftrace"
    out_of([*RUN, "--quiet", "--trace", str(file), "--trace-tokens", "3"], capsys)
    tracks = read(file)

    def rows(stage: str) -> list[tuple[int, int, str]]:
        found = [
            (about["start_cycle"], about["cycles"], name) for _, _, name, about in tracks[f"pipeline0/{stage}"].slices
        ]
        return [(begin, begin + cycles, name) for begin, cycles, name in found]

    begun = {stage: rows(stage) for stage in ("LOAD", "QK", "SV", "ZRED1", "ROWSUM2", "DIV&OUT")}
    assert begun == {
        "LOAD": [(0, 66, "row 0"), (201, 267, "row 1"), (402, 468, "row 2")],
        "QK": [(201, 402, "row 0"), (402, 603, "row 1"), (603, 804, "row 2")],
        "SV": [(402, 599, "row 0"), (603, 800, "row 1"), (804, 1_001, "row 2")],
        "ZRED1": [(603, 798, "row 0"), (804, 999, "row 1"), (1_005, 1_200, "row 2")],
        "ROWSUM2": [(804, 831, "row 0"), (1_005, 1_032, "row 1"), (1_206, 1_233, "row 2")],
        "DIV&OUT": [(1_005, 1_184, "row 0"), (1_206, 1_385, "row 1"), (1_407, 1_586, "row 2")],
    }


def test_a_page_is_one_file_that_needs_no_other(tmp_path: Path, capsys: CAPTURE) -> None:
    file = tmp_path / "run.html"
    out_of([*RUN, "--quiet", "--html", str(file)], capsys)
    text = file.read_text()
    assert "swat_kernel" in text
    assert "window(256, 255)" in text
    assert "<script src" not in text
    assert "<link" not in text


def test_a_comparison_with_another_machine(tmp_path: Path, capsys: CAPTURE) -> None:
    files = [tmp_path / "vit_on_edge_moe.json", tmp_path / "vit_on_swat.json"]
    for machine, file in zip(("edge_moe", "swat"), files):
        arguments = [
            "run",
            "vit_tiny",
            "--machine",
            machine,
            "--set",
            "workload.layers=1",
            "--quiet",
            "--json",
            str(file),
        ]
        assert main(arguments) == 0
    capsys.readouterr()
    assert main(["compare", *map(str, files)]) == 0
    out = capsys.readouterr().out
    assert "edge_moe" in out
    assert "swat" in out


def test_a_comparison_of_modes(tmp_path: Path, capsys: CAPTURE) -> None:
    files = [tmp_path / "lockstep.json", tmp_path / "elastic.json"]
    for file in files:
        out_of([*RUN, "--set", f"mode={file.stem}", "--quiet", "--json", str(file)], capsys)
    compared = json_of(["compare", *map(str, files)], capsys)
    assert {entry["name"]: entry["values"] for entry in compared["differences"]} == {
        "schedule": ["lockstep", "elastic"],
        "mode": ["lockstep", "elastic"],
    }
    figures = {figure["name"]: figure["values"] for figure in compared["figures"]}
    assert figures["cycles"] == [(64 + 5) * 201, 1033 + 63 * 201]
    assert figures["cycles of a head"] == figures["cycles"]


# --- explain, fit, machine, list


def test_the_program_is_a_line_a_pass(capsys: CAPTURE) -> None:
    out = out_of(["explain", "swat_kernel", "--set", "cores=128", "--set", "workload.tokens=256"], capsys)
    assert "attention" in out
    lines = out_of(
        ["explain", "swat_kernel", "--stage", "program", "--set", "cores=128", "--set", "workload.tokens=256"], capsys
    ).splitlines()
    assert lines == [
        "program swat_kernel: 256 tokens, fp16, lockstep",
        "attention attention: 1 heads x 64, window(256, 255)",
        "  1 heads:",
        "    256 queries, 256 keys, 128 cores, natural order: pairs 65536",
        "      pass 0: 256 rows, 0 to 255; window 128; 128 keys, 127 before, up to 1 a row; partial 0 in, 256 out",
        "      pass 1: 256 rows, 0 to 255; window 128; 128 keys, 127 before, up to 1 a row; partial 256 in, 0 out",
    ]


def test_the_mapped_graph_names_units(capsys: CAPTURE) -> None:
    assert out_of(["explain", "swat_kernel", "--stage", "mapped"], capsys).splitlines() == [
        "mapped swat_kernel: 0 B of weights, reserved for 16384 tokens x 1",
        "cores attention attention[tokens, 64] fp16; macs 1065353216",
    ]


def test_fit_on_its_board_and_on_a_smaller_one(capsys: CAPTURE) -> None:
    out = out_of(["fit", "swat", "--board", "u55c"], capsys)
    assert "fits, as blocks apart" in out
    assert "attention_core    512" in out
    assert main(["fit", "swat", "--board", "zcu104"]) == 1
    assert "lacks 467,146 LUT" in capsys.readouterr().out


def test_a_printed_machine_runs_as_ones_own(tmp_path: Path, capsys: CAPTURE) -> None:
    text = out_of(["machine", "swat"], capsys)
    assert "cores: 512                             # M 0.9: 2w = 512" in text
    mine = tmp_path / "mine.yaml"
    mine.write_text(text.replace("cores: 512 ", "cores: 128 ").replace("name: swat", "name: mine"))
    report = json_of([*RUN, "--machine", str(mine)], capsys)
    assert (report["machine"], report["parameters"]["cores"]) == ("mine", 128)


def test_parameters_are_listed_with_their_ranges(capsys: CAPTURE) -> None:
    out = out_of(["machine", "swat", "--parameters"], capsys)
    for name in (
        "cores",
        "head_dim",
        "pipelines",
        "format",
        "mode",
        "companion",
        "qk_interval",
        "sv_interval",
        "window",
    ):
        assert f"\n{name} " in out
    assert "attention cores of a pipeline, 2w" in out


def test_list_names_the_machine_and_its_workloads(capsys: CAPTURE) -> None:
    out = out_of(["list"], capsys)
    assert "SWAT: window attention on an FPGA" in out
    workloads = [line.split()[0] for line in out.splitlines() if line.endswith("on swat")]
    assert workloads == [
        "bigbird_base_4096", "hat_base_4096", "longformer_base_4096", "modernbert_base", "modernbert_large",
        "swat_kernel", "swin_tiny",
    ]  # fmt: skip


def test_a_machine_file_may_state_only_what_differs(tmp_path: Path, capsys: CAPTURE) -> None:
    """The format brings its intervals."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("model: swat\nname: mine\nformat: fp32\ncores: 64\ncompanion: none\n")
    report = json_of([*RUN, "--machine", str(mine)], capsys)
    assert (report["machine"], report["cycles"]) == ("mine", (64 + 5) * 264)
    assert (report["parameters"]["cores"], report["parameters"]["sv_interval"]) == (64, 4)

"""The command line: what a user types, and one clear line for each mistake."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.machines import MACHINES
from hwsim.report.schema import SCHEMA_VERSION, Report
from hwsim.shipped import find_workload, shipped_workloads

CAPTURE = pytest.CaptureFixture[str]


def test_a_run_prints_a_report(capsys: CAPTURE) -> None:
    assert main(["run", "gpt2", "--tokens", "2"]) == 0
    out, err = capsys.readouterr()
    assert err == ""  # no progress bar without a terminal
    for expected in (
        "gpt2 on pim_gpt: decode, 2 tokens, batch 1",
        "time to first token",
        "Bottleneck: pim: busy",
        "row-hit rate",
        "Energy by table paper, mean power",
        "The bound is what the placement cannot undercut",
        "Not included: lm_head",
        "speed-up over NVIDIA T4",
        "not comparable",
        "timing.tRCD_ns",
        "peak memory",
    ):
        assert expected in out


def test_a_run_writes_json_that_the_schema_reads(tmp_path: Path, capsys: CAPTURE) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    for file in (first, second):
        assert main(["run", "gpt2", "--tokens", "2", "--quiet", "--json", str(file)]) == 0
    assert capsys.readouterr().out == ""
    assert first.read_bytes() == second.read_bytes()
    report = Report.model_validate_json(first.read_bytes())
    assert report.schema_version == SCHEMA_VERSION
    wanted = (
        "schema_version machine workload cycles clock_hz latency_s throughput energy_j breakdown units memories bound "
        "offchip_bytes resources published unconfirmed decoding dram"
    )
    written = json.loads(first.read_text())
    assert set(wanted.split()) <= set(written)
    assert not {"fpga", "devices", "loads", "fits", "seed"} & set(written)  # such a run has none
    assert oct(first.stat().st_mode & 0o777) in ("0o644", "0o664", "0o600")


def test_json_on_stdout_is_nothing_but_json(capsys: CAPTURE) -> None:
    assert main(["run", "gpt2", "--tokens", "1", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["decoding"]["tokens"] == 1


def test_settings_reach_machine_and_workload(capsys: CAPTURE) -> None:
    sets = [
        "channels=16",
        "timing.tRCD_ns=14",
        "asic.adders=64",
        "workload.n_ctx=2048",
        "workload.layers=1",
        "workload.provenance.grade=A",
    ]
    arguments = [part for setting in sets for part in ("--set", setting)]
    assert main(["run", "gpt2", "--tokens", "1", "--json", "-", *arguments]) == 0
    parameters = json.loads(capsys.readouterr().out)["parameters"]
    assert (parameters["channels"], parameters["timing"]["tRCD_ns"], parameters["asic"]["adders"]) == (16, 14, 64)


def test_numbers_may_have_an_exponent(capsys: CAPTURE) -> None:
    # YAML 1.1 reads 1e9 as text
    arguments = ["--set", "asic.clock_hz=5e8", "--set", "pin_rate_gbps=8e0"]
    assert main(["run", "gpt2", "--tokens", "1", "--json", "-", *arguments]) == 0
    parameters = json.loads(capsys.readouterr().out)["parameters"]
    assert (parameters["asic"]["clock_hz"], parameters["pin_rate_gbps"]) == (500_000_000, 8)


def test_a_printed_machine_runs_as_ones_own(tmp_path: Path, capsys: CAPTURE) -> None:
    assert main(["machine", "pim_gpt"]) == 0
    text = capsys.readouterr().out
    assert "channels: 8                            # T: paper" in text
    mine = tmp_path / "mine.yaml"
    mine.write_text(text.replace("channels: 8 ", "channels: 4 ").replace("name: pim_gpt", "name: mine"))
    assert main(["run", "gpt2", "--tokens", "1", "--machine", str(mine), "--json", "-"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["machine"], report["parameters"]["channels"]) == ("mine", 4)


def test_a_machine_file_may_state_only_what_differs(tmp_path: Path, capsys: CAPTURE) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("model: pim_gpt\nname: half\nchannels: 4\nasic: {adders: 128}\n")
    assert main(["run", "gpt2", "--tokens", "1", "--machine", str(mine), "--json", "-"]) == 0
    parameters = json.loads(capsys.readouterr().out)["parameters"]
    assert (parameters["channels"], parameters["banks"], parameters["asic"]["adders"]) == (4, 16, 128)


def test_list_names_machines_and_workloads(capsys: CAPTURE) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "machines"
    summaries = {name: summary for name, summary in (line.split(maxsplit=1) for line in lines if line[0] == " ")}
    assert summaries["pim_gpt"].startswith("PIM-GPT: 8 channels of GDDR6")
    assert summaries["gpt2"] == "12 layers, d 768, 12 heads, context 1024, 124.4 M parameters, on pim_gpt"
    assert set(summaries) == {*MACHINES, *shipped_workloads()}


@pytest.mark.parametrize(
    ("stage", "first"), [("graph", "graph gpt2: "), ("mapped", "mapped gpt2: "), ("program", "program gpt2: ")]
)
def test_explain_prints_each_stage(stage: str, first: str, capsys: CAPTURE) -> None:
    assert main(["explain", "gpt2", "--stage", stage]) == 0
    assert capsys.readouterr().out.startswith(first)


def test_version(capsys: CAPTURE) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "hwsim 0.1.0\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["run", "gtp2"], "gtp2: no such file and no shipped workload; nearest: gpt2"),
        (["run", "gpt2", "--machine", "pim"], "pim: no such machine or file; nearest: aim, pim_gpt"),
        (["run", "gpt2", "--machine", "no.yaml"], "no.yaml: no such file"),
        (["run", "gpt2", "--set", "chanels=4"], "--set chanels: no such parameter; nearest: channels"),
        (["run", "gpt2", "--set", "workload.layer=4"], "--set workload.layer: no such field; nearest: layers"),
        (["run", "gpt2", "--set", "workload.source=3"], "no field 'source' in family gpt; families kernel have it"),
        (["run", "gpt2", "--set", "workload.provenance=3"], "--set workload.provenance: no such field; nearest: prov"),
        (["run", "gpt2", "--set", "channels"], "--set channels: expected key=value"),
        (["run", "gpt2", "--set", "channels=[1"], "--set channels=[1: "),
        (["run", "gpt2", "--set", "channels=-1"], "pim_gpt: channels: input should be greater than or equal to 1"),
        (["run", "gpt2", "--set", "energy=papr"], "energy: no energy table 'papr'; nearest: paper"),
        (
            ["run", "gpt2", "--set", "energy_table.vdd=1"],
            "energy_table.vdd: nothing of that name in energy table paper",
        ),
        (["run", "gpt2", "--tokens", "0"], "--tokens: expected at least 1, got 0"),
        (["run", "gpt2", "--tokens", "5000"], "longer than n_ctx 1024; set it with --set workload.n_ctx=5000"),
        (["run", "gpt2", "--tokens", "many"], "Invalid value for '--tokens'"),
        (["run", "gpt2", "--set", "rows=100"], "gpt2: weights need 165.0 MiB and the cache of 1024 tokens x 1"),
        (["run", "gpt2", "--set", "workload.heads=7"], "d_model 768 is not divisible by 7 heads"),
        (["run", "gpt2", "--json", "/nowhere/a.json"], "/nowhere/a.json: there is no folder /nowhere"),
        (["run", "gpt2", "--json", "/"], "/: is a folder"),
        (["run", "gpt2", "--trace", "/nowhere/a.pftrace"], "/nowhere/a.pftrace: there is no folder /nowhere"),
        (["run", "gpt2", "--trace", "a.pftrace", "--trace-tokens", "0"], "--trace-tokens: expected at least 1, got 0"),
        (["run", "gpt2", "--trace", "a.pftrace", "--trace-tokens", "x"], "Invalid value for '--trace-tokens'"),
        (["run", "gpt2", "--trace-tokens", "2"], "--trace-tokens: there is no --trace FILE"),
        (["run", "gpt2", "--trace", "a", "--json", "a"], "--json and --trace: both would write a"),
        (["run"], "Missing argument 'WORKLOAD'"),
        (["fly"], "No such command 'fly'"),
        (["explain", "gpt2", "--stage", "moon"], "Invalid value for '--stage'"),
        (["machine", "moon"], "moon: no such machine"),
    ],
)
def test_what_is_wrong_is_one_line_on_stderr_and_status_2(arguments: list[str], message: str, capsys: CAPTURE) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("hwsim: error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1


@pytest.fixture
def open_workload(tmp_path: Path) -> str:
    """A workload that names no machine."""
    file = tmp_path / "open.yaml"
    file.write_text(
        "name: open\nlayers: 1\nd_model: 64\nheads: 2\nvocab: 100\nn_ctx: 64\ntokens: 2\n"
        "provenance: {grade: A, source: a test}\n"
    )
    return str(file)


@pytest.mark.parametrize(
    "arguments", [["run"], ["explain", "--stage", "mapped"], ["explain", "--set", "channels=4"], ["verify"]], ids=str
)
def test_a_workload_without_a_machine_says_which_can_run_it(
    arguments: list[str], open_workload: str, capsys: CAPTURE
) -> None:
    command, *options = arguments
    assert main([command, open_workload, *options]) == 2
    assert capsys.readouterr() == (
        "",
        "hwsim: error: open: names no machine; --machine pim_gpt or aim can run it (family gpt)\n",
    )


@pytest.mark.parametrize("machine", ["pim_gpt", "aim"])
def test_a_workload_without_a_machine_runs_on_any(machine: str, open_workload: str, capsys: CAPTURE) -> None:
    assert main(["run", open_workload, "--machine", machine, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["machine"] == machine


def test_a_graph_needs_no_machine(open_workload: str, capsys: CAPTURE) -> None:
    assert main(["explain", open_workload, "--stage", "graph"]) == 0
    assert capsys.readouterr().out.startswith("graph open: 16 operators, step of 1 at 2\n")


@pytest.mark.parametrize("command", ["run", "explain", "verify"])
def test_where_lm_head_runs_is_set_at_the_machine(command: str, capsys: CAPTURE) -> None:
    assert main([command, "gpt2", "--set", "workload.lm_head=pim"]) == 2
    assert capsys.readouterr() == (
        "",
        f"hwsim: error: {find_workload('gpt2')}: lm_head: expected excluded or included, got 'pim'; where it runs is "
        "a parameter of the machine that has a choice (--set lm_head=pim)\n",
    )


def test_a_failed_run_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("earlier")
    assert main(["run", "gpt2", "--set", "rows=100", "--json", str(file)]) == 2
    assert file.read_text() == "earlier"
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_run_writes_a_trace_beside_its_report(tmp_path: Path, capsys: CAPTURE) -> None:
    file = tmp_path / "run.pftrace"
    assert main(["run", "gpt2", "--tokens", "2", "--trace", str(file), "--trace-tokens", "1", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert 100_000 < file.stat().st_size < 30_000_000


def test_a_run_without_a_trace_loads_nothing_for_one() -> None:
    script = (
        "import sys; from hwsim.cli import main; main(['run', 'gpt2', '--tokens', '1', '--quiet']); "
        "print([name for name in sys.modules if 'perfetto' in name])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n"


def test_a_wrong_file_is_named_with_its_place(tmp_path: Path, capsys: CAPTURE) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\nlayers: [1, 2\n")
    assert main(["run", str(bad)]) == 2
    assert f"{bad}:3:1: YAML syntax" in capsys.readouterr().err
    bad.write_text("model: tpu\n")
    assert main(["run", "gpt2", "--machine", str(bad)]) == 2
    assert "model: expected one of pim_gpt, aim, m3vit, edge_moe, swat, got 'tpu'" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_output_is_one_line() -> None:
    command = [sys.executable, "-c", "import sys; from hwsim.cli import main; sys.exit(main(['rtl', 'list']))"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (
        2, "hwsim: error: output cannot be written: No space left on device\n"
    )  # fmt: skip


def test_a_shipped_workload_is_not_overwritten(capsys: CAPTURE) -> None:
    file = find_workload("gpt2")
    before = file.read_bytes()
    assert main(["run", "gpt2", "--json", str(file)]) == 2
    assert "is what is read; it would be overwritten" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_reader_that_goes_away_is_no_error() -> None:
    script = f"{sys.executable} -c 'import sys; from hwsim.cli import main; sys.exit(main([\"list\"]))' | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("machines\n", "")


def test_names_resolve_from_any_folder(tmp_path: Path) -> None:
    script = "import sys; from hwsim.cli import main; sys.exit(main(['run', 'gpt2', '--tokens', '1', '--quiet']))"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_workload_is_not_overwritten_by_its_own_report(tmp_path: Path, capsys: CAPTURE) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\n")
    before = mine.read_text()
    assert main(["run", str(mine), "--tokens", "1", "--json", str(mine)]) == 2
    assert capsys.readouterr().err == f"hwsim: error: --json: {mine} is what is read; it would be overwritten\n"
    assert mine.read_text() == before

"""`hwsim dram` from the command line: reports, logs, traces, and messages for bad input."""

import json
from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.log_file import read_log
from hwsim.dram.standards.load import STANDARDS, load_standard


@pytest.mark.parametrize("name", STANDARDS)
def test_every_standard_runs_and_its_log_is_legal(name: str, tmp_path: Path) -> None:
    out, log = tmp_path / "out.json", tmp_path / "log.csv"
    wanted = ["--pattern", "random", "--requests", "2000", "--read-share", "0.6", "--channels", "2"]
    assert main(["dram", name, *wanted, "--json", str(out), "--commands", str(log), "--quiet"]) == 0
    report = json.loads(out.read_text())
    assert report["requests"] == 2000
    assert 0 < report["share_of_peak"] <= 1
    logs = read_log(log)
    assert sum(len(entries) for entries in logs.values()) == sum(report["commands"].values())
    for entries in logs.values():
        assert first_violation(entries, load_standard(name), max_refresh_delay=200) is None


def test_a_trace_file_is_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "three.trace"
    trace.write_text("# two reads of a row, a write\nLD 0x0\nld 256\n\nST 0x100000\n")
    assert main(["dram", "ddr4_2133", "--pattern", str(trace), "--no-refresh"]) == 0
    text = capsys.readouterr().out
    assert "3 requests on 1 channel" in text
    assert "reads      2: latency in cycles p50 34 (31.9 ns), p90 39 (36.6 ns)" in text


def test_latency_counts_from_arrivals_where_a_trace_states_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, out = tmp_path / "timed.trace", tmp_path / "out.json"
    trace.write_text("LD 0x0 @1000\n0x100 READ 1000\nST ch0 ba0 ro0 co9 @1010\nLD 0x200\n")
    played = ["dram", "ddr4_2133", "--pattern", str(trace), "--no-refresh"]
    assert main([*played, "--json", str(out), "--quiet"]) == 0
    report = json.loads(out.read_text())
    # taken in 1000 and 1001, so that the second read waits a cycle more: ACT 1000, RD 1015 and 1021, each CL + BL = 19
    assert (report["response_cycles"]["read"]["requests"], report["response_cycles"]["read"]["max"]) == (2, 40)
    assert (report["latency_cycles"]["read"]["requests"], report["response_cycles"]["write"]["requests"]) == (3, 1)
    assert main(played) == 0
    assert "reads      2: from arrival in cycles p50 34 (31.9 ns)" in capsys.readouterr().out


def test_a_report_sets_the_bandwidth_beside_what_the_timing_allows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    assert main(["dram", "ddr4_2133", "--requests", "12800", "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    assert report["limit"] == {"name": "data bus", "cycles": 12_799 * 4 + 19}
    assert report["share_of_limit"] == report["limit"]["cycles"] / report["cycles"]
    assert report["row_visits"] == 100
    assert report["refresh_share"] == pytest.approx(374 / 8320)
    assert (
        "of what is possible for these accesses: data bus, 51,215 cycles; refresh takes 4.5%" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hbm9"], "no DRAM standard 'hbm9'"),
        (
            ["hbm2", "--pattern", "strem"],
            "no request pattern or file 'strem'; patterns are stream, random, stride:BYTES",
        ),
        (
            ["hbm2", "--pattern", "stride"],
            "pattern stride: expected stride:BYTES with a whole number from 1 on, got 'stride'",
        ),
        (["hbm2", "--pattern", "stride:0"], "expected stride:BYTES with a whole number from 1 on, got 'stride:0'"),
        (["hbm2", "--pattern", "stride:536870912"], "pattern stride:536870912: lies beyond the memory of 536870912 B"),
        (["hbm2", "--pattern", "local:1.5"], "expected local:MEAN with a whole number from 1 on, got 'local:1.5'"),
        (["hbm2", "--pattern", "stream:2"], "pattern stream takes no number, found 'stream:2'"),
        (["hbm2", "--pattern", "copy", "--read-share", "0.5"], "--read-share and --seed mean nothing to a copy"),
        (["hbm2", "--pattern", "copy", "--seed", "1"], "--read-share and --seed mean nothing to a copy"),
        (["hbm2", "--pattern", "stride:64", "--wrap"], "--wrap belongs to a file of requests; pattern stride:64 stays"),
        (["hbm2", "--requests", "0"], "--requests: expected at least 1, got 0"),
        (["hbm2", "--read-share", "1.5"], "the share of reads must be from 0 to 1, got 1.5"),
        (["hbm2", "--mapping", "RoBa"], "no address mapping 'RoBa'; nearest:"),
        (["hbm2", "--rate", "2/3"], "--rate: expected requests a cycle, N or 1/N, got '2/3'"),
        (["hbm2", "--set", "bypas_cap=2"], "no parameter 'bypas_cap'; nearest: bypass_cap"),
        (["hbm2", "--set", "write_low=32"], "write_low 32 must lie below write_high 32"),
        (["hbm2", "--set", "read_queue=2.5"], "read_queue must be a whole number from 1 to 4096, got 2.5"),
        (["hbm2", "--channels", "0"], "--channels: expected at least 1, got 0"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dram", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1

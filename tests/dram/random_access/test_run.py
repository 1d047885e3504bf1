"""`hwsim dram` from the command line: reports, logs, traces, and messages for bad input."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cli import main
from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.log_file import read_log
from hwsim.dram.random_access.trace import parse_line, read_trace
from hwsim.dram.standards.load import STANDARDS, load_standard
from hwsim.errors import TraceError

WORDS = ["LD", "ld", "ST", "0", "64", "0x40", "0XfF", "#", "x", "-1", "9" * 15, "9" * 16, "0x", "é"]


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


@given(text=st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join))
def test_the_two_parsers_agree(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("lines") / "one.trace"
    file.write_bytes(text.encode() + b"\n")
    try:
        expected = parse_line(text.encode().decode("latin-1"), 1 << 34)
    except TraceError as cause:
        with pytest.raises(TraceError, match=re.escape(f"{file}: line 1: {cause}")):
            list(read_trace(file, 1 << 34))
        return
    found = [pair for w, a in read_trace(file, 1 << 34) for pair in zip(w.tolist(), a.tolist(), strict=True)]
    assert found == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hbm9"], "no DRAM standard 'hbm9'"),
        (["hbm2", "--pattern", "strem"], "no request pattern or file 'strem'; patterns are stream, random"),
        (["hbm2", "--requests", "0"], "--requests: expected at least 1, got 0"),
        (["hbm2", "--read-share", "1.5"], "the share of reads must be from 0 to 1, got 1.5"),
        (["hbm2", "--mapping", "RoBa"], "no address mapping 'RoBa'; nearest:"),
        (["hbm2", "--rate", "2/3"], "--rate: expected requests a cycle, N or 1/N, got '2/3'"),
        (["hbm2", "--set", "bypas_cap=2"], "no parameter 'bypas_cap'; nearest: bypass_cap"),
        (["hbm2", "--set", "write_low=24"], "write_low 24 must lie below write_high 24"),
        (["hbm2", "--set", "read_queue=2.5"], "read_queue must be a whole number from 1 to 4096, got 2.5"),
        (["hbm2", "--channels", "0"], "--channels: expected at least 1, got 0"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dram", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"LD 0\nLOAD 3\n", "line 2: 'LOAD' begins no request; expected LD or ST"),
        (b"LD 0\nST\n", "line 2: ST takes one address, found 0 words"),
        (b"LD 12z\n", "line 1: '12z' is no address; expected decimal or 0x hexadecimal"),
        (b"LD 0xfffffffffff\n", "line 1: address 0xfffffffffff is beyond the memory of 536870912 B"),
        (b"\x7fELF\x01\x02\x00\x00", "line 1: "),
        (b"LD " + b"0" * 5000, "longer than 4096 bytes"),
    ],
)
def test_a_bad_trace_names_file_and_line(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, log = tmp_path / "bad.trace", tmp_path / "log.csv"
    trace.write_bytes(content)
    assert main(["dram", "hbm2", "--pattern", str(trace), "--commands", str(log)]) == 2
    error = capsys.readouterr().err
    assert f"{trace}: " in error
    assert message in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == [trace]

"""The trace grammar: what is accepted, and the message for what is refused."""

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cli import main
from hwsim.dram.aim.energy import energy_parts
from hwsim.dram.aim.isa import Instruction, decode
from hwsim.dram.aim.player import AimPlayer
from hwsim.dram.aim.scanner import scan
from hwsim.dram.aim.trace import Limits, parse_line
from hwsim.dram.aim.trace_file import read_file
from hwsim.dram.aim.trace_player import play_file
from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.log_file import read_log
from hwsim.dram.standards.load import load_standard
from hwsim.energy import load_table
from hwsim.errors import TraceError

AIM = load_standard("gddr6_aim", refresh=False)
LIMITS = Limits.of(AIM, 4)
ALL_ISR = Path(__file__).parent / "data" / "all_isr.trace"

WORDS = [
    "AiM",
    "aim",
    "W",
    "R",
    "MEM",
    "GPR",
    "CFR",
    "ISR_MAC_ABK",
    "MAC_ABK",
    "WR_SBK",
    "AF",
    "RD_MAC",
    "EWADD",
    "EOC",
]
WORDS += ["#", "0", "1", "2", "15", "16", "0xf", "0X3", "64", "65", "x", "-1", "99999999"]


def scanned(text: str) -> Instruction | str | None:
    out = np.empty((2, 5), dtype=np.int64)
    data = np.frombuffer(text.encode("latin-1") + b"\n", dtype=np.uint8)
    count, _, wrong = scan(data, out, np.empty(2, dtype=np.int64), LIMITS)
    return "refused" if wrong else decode(out[:count])[0] if count else None


def parsed(text: str) -> Instruction | str | None:
    try:
        return parse_line(text, LIMITS)
    except TraceError:
        return "refused"


@given(words=st.lists(st.sampled_from(WORDS), max_size=8), blank=st.sampled_from([" ", "\t", ",", "  ,", " \r"]))
def test_the_two_parsers_agree_on_words(words: list[str], blank: str) -> None:
    line = blank.join(words)
    assert scanned(line) == parsed(line)


LINES = ["AiM MAC_ABK 64 0xf 3", "AiM MAC_ABK 64 0xf 33", "AiM MAC_ABK 64 0xf 3 # again", "# only a comment", "", "R"]


@given(lines=st.lists(st.sampled_from([*LINES, *LINES[:2]]), max_size=12))
def test_the_two_parsers_agree_on_lines_that_repeat(lines: list[str]) -> None:
    """A line that is the one before again is not parsed again."""
    wanted = [parsed(line) for line in lines]
    wrong = wanted.index("refused") if "refused" in wanted else len(lines)
    data = np.frombuffer("".join(f"{line}\n" for line in lines).encode(), dtype=np.uint8)
    out, numbers = np.empty((len(lines), 5), dtype=np.int64), np.empty(len(lines), dtype=np.int64)
    count, read, stopped = scan(data, out, numbers, LIMITS)
    assert (read, stopped) == (wrong, int(wrong < len(lines)))
    assert decode(out[:count]) == [found for found in wanted[:wrong] if found]
    assert numbers[:count].tolist() == [line for line, found in enumerate(wanted[:wrong]) if found]


@given(text=st.text(st.characters(max_codepoint=255, exclude_characters="\n"), max_size=30))
def test_the_two_parsers_agree_on_noise(text: str) -> None:
    assert scanned(text) == parsed(text)


@pytest.mark.parametrize("line", [line for line in ALL_ISR.read_text().splitlines() if line.strip()])
def test_the_two_parsers_agree_on_every_instruction(line: str) -> None:
    assert scanned(line) == parsed(line) != "refused"


def test_spellings_that_mean_the_same() -> None:
    wanted = Instruction(operation="MAC_ABK", opsize=64, mask=15, row=3)
    for line in ("AiM MAC_ABK 64 15 3", ",AiM,ISR_MAC_ABK,64,0xF,3,,", "\taim  mac_abk 0x40 15 3 # row 3"):
        assert scanned(line) == wanted


REFUSED = {
    "AiM MAC_ABC 1 1 0": "unknown instruction 'MAC_ABC'; nearest: MAC_ABK, MAC_SBK, WR_ABK",
    "LD 0x100": "'LD' begins no instruction; expected AiM, R, W or #",
    "AiM MAC_ABK 65 1 0": "MAC_ABK: opsize 65 is out of range, expected 1 to 64 (columns of a row)",
    "AiM MAC_ABK 0 1 0": "MAC_ABK: opsize 0 is out of range, expected 1 to 64 (columns of a row)",
    "AiM AF 16": "AF: channel mask 16 is out of range, expected 1 to 15 (4 channels)",
    "AiM AF 0": "AF: channel mask 0 is out of range, expected 1 to 15 (4 channels)",
    "AiM MAC_SBK 1 1 16 0": "MAC_SBK: bank 16 is out of range, expected 0 to 15 (16 banks)",
    "AiM WR_ABK 0 1 16384": "WR_ABK: row 16384 is out of range, expected 0 to 16383 (16384 rows)",
    "AiM MAC_ABK 64 1": "MAC_ABK takes 3 fields (opsize mask row), found 2",
    "AiM MAC_ABK 64 1 -1": "'-1' is no number; expected decimal or 0x hexadecimal",
    "W MEM 4 0 0": "W MEM: channel 4 is out of range, expected 0 to 3 (4 channels)",
    "W CFR 2 8": "W CFR 2: value 8 is out of range, expected 0 to 7 (activation functions)",
    "R": "R needs MEM, GPR or CFR, found nothing",
    "\x7fELF\x02\x01": "'\\x7fELF\\x02\\x01' begins no instruction; expected AiM, R, W or #",
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_wrong_line_is_named(line: str, tmp_path: Path) -> None:
    trace = tmp_path / "wrong.trace"
    trace.write_bytes(b"# a comment\nW GPR 0\n" + line.encode("latin-1") + b"\nAiM EOC\n")
    with pytest.raises(TraceError) as caught:
        play_file(trace, AimPlayer(AIM, 4))
    assert str(caught.value) == f"{trace}: line 3: {REFUSED[line]}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: the trace ends without `AiM EOC`"),
        (b"W GPR 0\nAiM MAC_ABK 64", "line 2: MAC_ABK takes 3 fields (opsize mask row), found 1"),
        (b"W GPR 0\n", "line 2: the trace ends without `AiM EOC`"),
        (b"AiM EOC\n\nW GPR 0\n", "line 3: instruction after EOC"),
        (b"\n" + b"\x00" * 10_000, "line 2: longer than 4096 bytes"),
        (b"\n#" + b"x" * 5_000 + b"\nAiM EOC\n", "line 2: longer than 4096 bytes"),
    ],
)
def test_a_wrong_file_leaves_one_line_and_nothing_behind(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, out, log = tmp_path / "wrong.trace", tmp_path / "out.json", tmp_path / "log.csv"
    trace.write_bytes(content)
    assert main(["aim", str(trace), "--json", str(out), "--commands", str(log)]) == 2
    assert capsys.readouterr().err == f"hwsim: error: {trace}: {message}\n"
    assert sorted(tmp_path.iterdir()) == [trace]


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["aim", str(tmp_path / "none.trace")]) == 2
    assert "none.trace: cannot be read: No such file" in capsys.readouterr().err


def test_a_file_without_last_newline_and_longer_than_a_chunk(tmp_path: Path) -> None:
    trace = tmp_path / "long.trace"
    trace.write_bytes(b"W GPR 0 # a line that is split between chunks\n" * 60_000 + b"AiM EOC")
    programs = list(read_file(trace, LIMITS))
    assert sum(len(program) for program in programs) == 60_001
    assert len(programs) > 2


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.csv"
    assert main(["aim", str(ALL_ISR), "--json", "-", "--commands", str(log)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["cycles"] == 689
    assert report["commands"]["MAC16"] == 16
    channels = report["channels"]
    assert all(c["busy_cycles"] + c["idle_cycles"] == 689 for c in channels)
    assert [c["channel"] for c in channels if c["commands"]] == [0, 1, 2, 3, 28, 29, 30, 31]
    logs = read_log(log)
    assert sum(len(entries) for entries in logs.values()) == sum(report["commands"].values())
    for entries in logs.values():
        assert first_violation(entries, AIM, check_modes=True) is None


def test_the_energy_of_one_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "row.trace"
    trace.write_text("AiM MAC_ABK 64 1 0\nAiM EOC\n")
    assert main(["aim", str(trace), "--channels", "1", "--json", "-"]) == 0
    energy = json.loads(capsys.readouterr().out)["energy_pj"]
    assert energy["activate"] == pytest.approx(16 * 66.3 * 44.5)
    assert energy["compute"] == pytest.approx(64 * 3 * 438.15)
    assert energy["standby_active"] == pytest.approx(185 * 0.5 * 263.75)
    assert energy["standby_precharged"] == 0


BITS_OVER_THE_PINS = 256 * 5.5
READ, WRITE, MAC = 438.15 * 1.25, 553.15 * 1.25, 3 * 438.15 / 16  # pJ: an access; a bank's multiply-accumulate


@pytest.mark.parametrize(
    ("command", "picojoules"),
    [
        ("ACT", 66.3 * 44.5),
        ("ACT4", 4 * 66.3 * 44.5),
        ("ACT16", 16 * 66.3 * 44.5),
        ("RD", READ + BITS_OVER_THE_PINS),
        ("WR", WRITE + BITS_OVER_THE_PINS),
        ("WRA16", 16 * WRITE + BITS_OVER_THE_PINS),
        ("MAC", MAC),
        ("MAC16", 16 * MAC),
        ("EWMUL16", 4 * MAC),
        ("AF16", 16 * READ),
        ("RDCP", READ + 0.325),
        ("WRCP", WRITE + 0.279),
        ("WRGB", 0.325 + BITS_OVER_THE_PINS),
        ("WRMAC16", WRITE + BITS_OVER_THE_PINS),
        ("RDMAC16", READ + BITS_OVER_THE_PINS),
        ("RDAF16", READ + BITS_OVER_THE_PINS),
        ("PREA", 0),
        ("TMOD", 0),
    ],
)
def test_the_energy_of_one_command(command: str, picojoules: float) -> None:
    parts = energy_parts({command: 1}, active_cycles=0, precharged_cycles=0, standard=AIM, table=load_table("aim"))
    assert sum(part.picojoules for part in parts) == pytest.approx(picojoules)


def test_settings_and_refresh_of_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With refresh the trace was read twice, which is impossible with a pipe."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("AiM MAC_ABK 64 1 0\nAiM EOC\n",))
    writer.start()
    assert main(["aim", str(pipe), "--refresh", "all_bank", "--set", "timing.nRCDRDMAC=66", "--json", "-"]) == 0
    writer.join()
    assert json.loads(capsys.readouterr().out)["cycles"] == 195
    assert main(["aim", str(ALL_ISR), "--set", "channels=3"]) == 2
    assert capsys.readouterr().err == (
        "hwsim: error: --set channels: a trace is played with rows, columns, refresh_postponed and timing.NAME "
        "as settings\n"
    )


def test_a_log_is_checked_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.csv"
    assert main(["aim", str(ALL_ISR), "--commands", str(log), "--quiet"]) == 0
    assert main(["check", str(log), "gddr6_aim"]) == 0
    assert capsys.readouterr().out == "164 commands on 8 channels: all legal by gddr6_aim\n"
    assert main(["check", str(log), "gddr6_aim", "--set", "timing.nRCDRDMAC=57"]) == 1
    assert "ACT16 -> MAC16 at channel: 57 cycles, found 56" in capsys.readouterr().out
    assert main(["check", str(log), "ddr4_2133"]) == 2
    assert capsys.readouterr().err == f"hwsim: error: {log}: line 8: standard ddr4_2133 has no command 'TMOD'\n"


def test_a_log_of_more_rows_is_checked_with_as_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace, log = tmp_path / "high.trace", tmp_path / "log.csv"
    trace.write_text("AiM MAC_ABK 2 1 30000\nAiM EOC\n")
    assert main(["aim", str(trace), "--set", "rows=40000", "--commands", str(log), "--quiet"]) == 0
    assert main(["check", str(log), "gddr6_aim", "--set", "rows=40000"]) == 0
    assert main(["check", str(log), "gddr6_aim"]) == 1
    assert main(["check", str(log), "gddr6_aim", "--set", "rows=true"]) == 2
    assert capsys.readouterr().err == "hwsim: error: --set rows: expected a whole number from 1 on, got True\n"


@pytest.mark.parametrize("rows", ["0", "16777217", "9223372036854775807", "100000000000000000000"])
def test_rows_that_no_bank_has_are_refused(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the most rows of 64 bits the row of activation functions overflowed, and the player never ended."""
    assert main(["aim", str(ALL_ISR), "--set", f"rows={rows}"]) == 2
    assert capsys.readouterr().err == f"hwsim: error: rows must be 1 to 16777216, got {rows}\n"


def test_a_log_that_ends_within_a_line_is_named_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.csv"
    assert main(["aim", str(ALL_ISR), "--commands", str(log), "--quiet"]) == 0
    lines = log.read_text().splitlines()
    log.write_text("\n".join(lines[:3]) + "\n" + lines[3][:5])
    assert main(["check", str(log), "gddr6_aim"]) == 2
    expected = "expected cycle, channel, command, bank, row, column"
    assert capsys.readouterr().err == f"hwsim: error: {log}: line 4: {expected}, found {lines[3][:5]!r}\n"
    log.write_text("cycle,bank\n1,2\n")
    assert main(["check", str(log), "gddr6_aim"]) == 2
    assert capsys.readouterr().err == f"hwsim: error: {log}: line 1: {expected}, found 'cycle,bank'\n"


def test_a_byte_order_mark_is_no_instruction(tmp_path: Path) -> None:
    trace = tmp_path / "marked.trace"
    trace.write_bytes(b"\xef\xbb\xbfAiM EOC\n")
    player = AimPlayer(AIM, 1)
    play_file(trace, player)
    assert player.instructions == 1


def test_outputs_spare_the_trace_links_and_devices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A trace was overwritten by its own result, a link by a file, and /dev/null, for root, by a log."""
    trace = tmp_path / "one.trace"
    trace.write_text("AiM EOC\n")
    assert main(["aim", str(trace), "--json", str(trace)]) == 2
    assert capsys.readouterr().err == f"hwsim: error: --json: {trace} is what is read; it would be overwritten\n"
    assert trace.read_text() == "AiM EOC\n"
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    assert main(["aim", str(trace), "--json", str(tmp_path / "link.json"), "--commands", "/dev/null"]) == 0
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text().startswith("{")
    assert not Path("/dev/null").is_file()

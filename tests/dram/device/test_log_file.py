"""Logs as files: the fast reader reads what the slow one reads, and both say what is wrong with a line."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.log_file import read_commands, read_log
from hwsim.dram.standards.load import load_standard
from hwsim.errors import UserError

AIM = load_standard("gddr6_aim")
NAMES = list(AIM.commands)
HEADER = "cycle,channel,command,bank,row,column\n"
EXPECTED = "expected cycle, channel, command, bank, row, column"


def fast(path: Path) -> dict[int, list[LoggedCommand]]:
    logs: dict[int, list[LoggedCommand]] = {}
    for rows in read_commands(path, AIM):
        for cycle, channel, command, bank, row, column in rows.tolist():
            entry = LoggedCommand(cycle=cycle, command=NAMES[command], bank=bank, row=row, column=column)
            logs.setdefault(channel, []).append(entry)
    return logs


def slow(path: Path) -> dict[int, list[LoggedCommand]]:
    return read_log(path, AIM)


def outcome(read, path: Path) -> object:  # type: ignore[no-untyped-def]
    try:
        return read(path)
    except UserError as error:
        return str(error)


def complaint(tmp_path: Path, text: str) -> str:
    path = tmp_path / "log.csv"
    path.write_text(text)
    said = outcome(fast, path)
    assert said == outcome(slow, path)
    assert isinstance(said, str)
    return said.removeprefix(f"{path}: ")


def test_columns_come_in_any_order_with_others_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(
        b"\xef\xbb\xbfcommand, row,note,column,bank,cycle,channel\r\n"
        b"ACT16,3,\"a b\",-1,-1,5,1\r\n\r\n  \n MAC16 ,\t3,,07, -1,69,1\nTMOD,-1,-,-1,-1,6,0"
    )  # fmt: skip
    assert fast(path) == slow(path) == {
        1: [LoggedCommand(cycle=5, command="ACT16", row=3), LoggedCommand(cycle=69, command="MAC16", row=3, column=7)],
        0: [LoggedCommand(cycle=6, command="TMOD")],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"line 1: {EXPECTED}, found ''"),
        ("cycle,bank\n1,2\n", f"line 1: {EXPECTED}, found 'cycle,bank'"),
        (HEADER.strip() + ",row\n", f"line 1: {EXPECTED}, found 'cycle,channel,command,bank,row,column,ro...'"),
        (HEADER + "0,0,ACT,0,1\n", f"line 2: {EXPECTED}, found '0,0,ACT,0,1'"),
        (HEADER + "0,0,ACT,0,1,-1,\n", f"line 2: {EXPECTED}, found '0,0,ACT,0,1,-1,'"),
        (HEADER + "0,0,ACT,0,1,-1\n\n0,0,ACT,0,1,x\n", f"line 4: {EXPECTED}, found '0,0,ACT,0,1,x'"),
        (HEADER + "0,0,ACT,0,1.0,-1\n", f"line 2: {EXPECTED}, found '0,0,ACT,0,1.0,-1'"),
        (HEADER + "0,0,,0,1,-1\n", f"line 2: {EXPECTED}, found '0,0,,0,1,-1'"),
        (HEADER + "1234567890123456789,0,PRE,0,1,1", f"line 2: {EXPECTED}, found '1234567890123456789,0,PRE,0,1,1'"),
        (HEADER + "0,65536,ACT,0,1,-1\n", "line 2: expected a channel of 0 to 65535, found 65536"),
        (HEADER + "0,-1,ACT,0,1,-1\n", "line 2: expected a channel of 0 to 65535, found -1"),
        (HEADER + "0,0,ACT9,0,1,-1\n", "line 2: standard gddr6_aim has no command 'ACT9'"),
        (HEADER + "0,0,AC,0,1,-1\n", "line 2: standard gddr6_aim has no command 'AC'"),
        (HEADER + "0,0,A\x00\u00e9,0,1,-1\n", "line 2: standard gddr6_aim has no command 'A\\x00\\xc3\\xa9'"),
        (HEADER + "0,0,ACT,0,1,-1" + " " * 4090 + "\n", "line 2: longer than 4096 bytes"),
    ],
)  # fmt: skip
def test_a_line_of_another_form_is_named(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text) == said


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    assert outcome(fast, path) == outcome(slow, path) == f"{path}: cannot be read: No such file or directory"


@given(seed=st.integers(0, 1 << 32), edits=st.integers(0, 5))
@settings(max_examples=300)
def test_both_readers_read_any_bytes_alike(seed: int, edits: int) -> None:
    draw = random.Random(seed)
    lines = [
        f"{draw.randrange(999)},{draw.randrange(3)},{draw.choice(NAMES)},{draw.randrange(-1, 9)},-1,{draw.randrange(9)}"
        for _ in range(draw.randrange(12))
    ]
    text = bytearray("\n".join([HEADER.strip(), *lines]), "ascii")
    for _ in range(edits):
        at = draw.randrange(len(text))
        text[at : at + draw.randrange(2)] = draw.choice(
            (b",", b"\n", b" ", b"-", b"7", b"\r\n", b"\xff", b"", b"\t", b"A")
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_bytes(text)
        assert outcome(fast, path) == outcome(slow, path)


def test_asking_for_help_compiles_nothing() -> None:
    script = (
        "import sys\nfrom hwsim.cli import main\n"
        "try:\n    main(['check', '--help'])\nexcept SystemExit:\n    pass\n"
        "print('numba' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False"

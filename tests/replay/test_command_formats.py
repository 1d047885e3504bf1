"""Logs for DRAMPower, read by the grammar of its readers."""

import csv
import re
from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.dram.standards.load import load_standard

# DRAMPower 4: README, "Command Traces", and the names in MemCommand.h. DRAMPower 5: parse_command_list, CmdType.h.
VERSION_4 = re.compile(r"(\d+),(ACT|RD|WR|PRE|REF|REFB|END|RDA|WRA|PREA),(\d+)\n")
VERSION_5 = re.compile(
    r"(\d+),(?:(ACT|PRE|PREA|REFA|REFB|REFSB|REFP2B|END),(\d+),(\d+),(\d+),(\d+),(\d+)"
    r"|(RD|RDA|WR|WRA),(\d+),(\d+),(\d+),(\d+),(\d+),((?:[0-9a-fA-F]{2})+))\n"
)


def play(tmp_path: Path, name: str, *arguments: str, form: str | None = None) -> Path:
    log = tmp_path / f"log.{form}"
    chosen = [] if form is None else ["--commands-format", form]
    wanted = ["--requests", "6000", "--pattern", "random", "--read-share", "0.6", "--commands", str(log), "--quiet"]
    assert main(["dram", name, *arguments, *wanted, *chosen]) == 0
    return log


def ours(path: Path) -> list[tuple[int, str, int, int, int]]:
    with path.open() as file:
        return [
            (int(row["cycle"]), row["command"], int(row["bank"]), int(row["row"]), int(row["column"]))
            for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize(
    ("name", "arguments", "refresh"),
    [
        ("ddr4", ["--set", "row_policy=closed_adaptive"], "REF"),
        ("hbm2", ["--refresh", "per_bank"], "REFB"),
        ("ddr5", ["--refresh", "per_bank"], "REFB"),
    ],
)
def test_drampower_4_reads_it(name: str, arguments: list[str], refresh: str, tmp_path: Path) -> None:
    lines = play(tmp_path, name, *arguments, form="drampower4").read_text().splitlines(keepends=True)
    read = [VERSION_4.fullmatch(line) for line in lines]
    assert all(read)
    found = [(int(m[1]), m[2], int(m[3])) for m in read if m]
    standard = load_standard(name)
    expected = []
    for cycle, command, bank, _, _ in ours(play(tmp_path, name, *arguments)):
        if command.startswith("REF"):
            banks = list(standard.banks_of(command, bank)) if refresh == "REFB" else [0]
            expected += [(cycle, refresh, each) for each in banks]
        else:
            expected.append((cycle, command, max(bank, 0)))
    assert found[:-1] == expected
    cycle, command, bank = found[-1]
    assert (command, bank) == ("END", 0)
    assert cycle >= max(each for each, _, _ in expected)
    assert max(bank for _, _, bank in found) == standard.banks - 1


@pytest.mark.parametrize(
    ("name", "arguments", "refresh"),
    [
        ("ddr4", ["--ranks", "2", "--set", "row_policy=closed_adaptive"], "REFA"),
        ("ddr5", ["--ranks", "2", "--refresh", "per_bank"], "REFSB"),
        ("lpddr4", ["--refresh", "per_bank"], "REFB"),
        ("lpddr5", ["--refresh", "per_bank"], "REFP2B"),
        ("hbm2", [], "REFA"),
    ],
)
def test_drampower_5_reads_it(name: str, arguments: list[str], refresh: str, tmp_path: Path) -> None:
    lines = play(tmp_path, name, *arguments, form="drampower5").read_text().splitlines(keepends=True)
    read = [VERSION_5.fullmatch(line) for line in lines]
    assert all(read)
    standard = load_standard(name)
    ranks = 2 if "--ranks" in arguments else 1
    found = []
    for m in read:
        assert m
        fields = m.groups()[1:7] if m[2] else m.groups()[7:13]
        found.append((int(m[1]), fields[0], *(int(field or "") for field in fields[1:])))
        if m[8]:
            assert len(m[14]) == 2 * standard.column_bytes
    expected = []
    for cycle, command, bank, row, column in ours(play(tmp_path, name, *arguments)):
        rank, within = divmod(max(bank, 0), standard.banks_per_rank)
        group = within // standard.banks_below("bankgroup") if "bankgroup" in standard.level_names else 0
        written = refresh if command.startswith("REF") else command
        expected.append((cycle, written, rank, group, within, max(row, 0), max(column, 0)))
    assert found[:-1] == expected
    assert found[-1][1:] == ("END", 0, 0, 0, 0, 0)
    assert {each[2] for each in found if each[1] == refresh} == set(range(ranks))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--commands-format", "drampower5"], "--commands-format belongs to --commands FILE"),
        (
            ["--commands", "LOG", "--commands-format", "drampower5", "--channels", "2"],
            "--commands-format drampower5: DRAMPower reads one channel, got --channels 2",
        ),
        (
            ["--commands", "LOG", "--commands-format", "drampower4", "--ranks", "2"],
            "--commands-format drampower4: DRAMPower 4 reads one rank, got 2; drampower5 has ranks",
        ),
    ],
)
def test_what_a_format_cannot_say_is_refused(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    assert main(["dram", "ddr4", *(str(log) if each == "LOG" else each for each in arguments)]) == 2
    assert capsys.readouterr().err == f"hwsim: error: {message}\n"
    assert not log.exists()

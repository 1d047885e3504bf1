"""Traces whose instructions count more columns than a row of the hardware has."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.dram.aim.isa import encode
from hwsim.dram.aim.load import load_aim
from hwsim.dram.aim.player import AimPlayer, CommandRun
from hwsim.dram.aim.reference import ReferenceAim
from hwsim.errors import DramError
from tests.dram.aim.strategies import EOC
from tests.dram.aim.test_player import op

EVERYONE = 0xFFFFFFFF


def gemv(outputs: int, inputs: int) -> str:
    """A matrix-vector product as public traces have it.

    Source: hwsim's notes on arkhadem/aim_simulator's GEMV traces; the published 1000x1000 takes 20,538 cycles.
    """
    groups, columns = -(-outputs // 16), -(-inputs // 16)
    lines = ["W CFR 0 1", f"AiM WR_GB 2 2 {EVERYONE}"]
    lines += [f"AiM WR_ABK 4 1 {group}" for group in range(groups)]
    lines += [f"AiM MAC_ABK {columns} {EVERYONE} {group}" for group in range(groups)]
    return "\n".join([*lines, f"AiM RD_MAC 8 {EVERYONE}", "AiM EOC", ""])


def cycles_of(trace: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> int:
    file = tmp_path / "x.trace"
    file.write_text(trace)
    assert main(["aim", str(file), *options, "--json", "-"]) == 0
    return int(json.loads(capsys.readouterr().out)["cycles"])


def test_the_published_gemv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cycles_of(gemv(1000, 1000), tmp_path, capsys) == 20_538


def test_a_vector_longer_than_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of 63 rows takes 12 columns more than in the published trace, and a column 2 cycles."""
    longer = cycles_of(gemv(1000, 1200), tmp_path, capsys, "--set", "columns=75")
    assert longer == 20_538 + 63 * 12 * 2
    (tmp_path / "y.trace").write_text(gemv(1000, 1200))
    assert main(["aim", str(tmp_path / "y.trace")]) == 2
    assert capsys.readouterr().err == (
        f"hwsim: error: {tmp_path / 'y.trace'}: line 66: MAC_ABK: opsize 75 is out of range, expected 1 to 64 "
        "(columns of a row)\n"
    )


@pytest.mark.parametrize("columns", [1, 64, 75, 200])
def test_a_row_takes_two_cycles_a_column(columns: int) -> None:
    """ACT16 1, the first MAC16 57, EOC two cycles after the last."""
    fast, slow = (player(load_aim(columns=columns), 1) for player in (AimPlayer, ReferenceAim))
    program = [op("MAC_ABK", columns, 1, row=0), EOC]
    fast.play(encode(program))
    slow.play(program)
    assert (fast.cycle, slow.cycle) == (57 + 2 * columns, 57 + 2 * columns)


def test_a_log_of_more_columns_is_checked_with_as_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.csv"
    cycles_of("AiM MAC_ABK 66 1 0\nAiM EOC\n", tmp_path, capsys, "--set", "columns=66", "--commands", str(log))
    assert main(["check", str(log), "gddr6_aim", "--set", "columns=66"]) == 0
    assert capsys.readouterr().out == "67 commands on 1 channel: all legal by gddr6_aim\n"
    assert main(["check", str(log), "gddr6_aim"]) == 1
    assert "needs a column below 64" in capsys.readouterr().out


@pytest.mark.parametrize("columns", [0, (1 << 24) + 1])
def test_columns_out_of_range(columns: int) -> None:
    with pytest.raises(DramError, match=f"columns must be 1 to 16777216, got {columns}"):
        load_aim(columns=columns)


def test_the_log_has_room_for_one_instruction_of_any_length() -> None:
    """Refreshes cut four million columns into more runs than the log holds; it grows and plays them again."""
    standard = load_aim("all_bank", columns=1 << 22)
    assert standard.refresh
    standard = replace(standard, refresh=replace(standard.refresh, interval=600))
    seen = Counter[str]()

    def note(run: CommandRun) -> None:
        seen[run.command] += run.count

    logged, silent = AimPlayer(standard, 1, on_commands=note), AimPlayer(standard, 1)
    for player in (logged, silent):
        player.play(encode([op("MAC_ABK", 1 << 22, 1, row=0), EOC]))
    assert (logged.cycle, logged.results()) == (silent.cycle, silent.results())
    assert dict(seen) == silent.results()[0].commands

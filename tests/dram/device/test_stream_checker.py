"""The checker of long logs says what the slow one says, however the channels are mixed and the log is cut."""

from __future__ import annotations

import random
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.check_log import check_log
from hwsim.dram.device.checker import Violation, first_violation
from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Command, Constraint, Standard
from hwsim.dram.device.stream_checker import StreamChecker
from hwsim.dram.standards.load import STANDARDS, load_standard
from tests.dram.device.legal_logs import legal_log, with_mistakes


def with_skipping_commands(standard: Standard) -> Standard:
    """The standard with commands that work on every fourth bank of a rank, and waits of each sort between them."""
    skipping = {
        "ACTs": Command(name="ACTs", scope="bank", kind="activate", stride=4),
        "PREs": Command(name="PREs", scope="bank", kind="precharge", stride=4),
        "REFs": Command(name="REFs", scope="bank", kind="refresh", stride=4),
    }
    waits = [
        Constraint(level="bank", preceding="REFs", following="ACT", latency=100),
        Constraint(level="bank", preceding="ACTs", following="PREs", latency=30),
        Constraint(level="bankgroup", preceding="ACTs", following="ACTs", latency=90, window=3),
        Constraint(level="rank", preceding="ACTs", following="PREs", latency=80, window=2),
        Constraint(level="bankgroup", preceding="ACT", following="REFs", latency=60, window=2),
        Constraint(level="rank", preceding="REFs", following="ACTs", latency=70, siblings=True),
        Constraint(level="bankgroup", preceding="ACTs", following="RD", latency=12, siblings=True),
    ]
    return replace(
        standard,
        commands={**standard.commands, **skipping},
        constraints=(*standard.constraints, *waits),
    )


RANKS = load_standard("ddr4", levels={"rank": 2})
CASES = [load_standard(name) for name in STANDARDS] + [RANKS, with_skipping_commands(RANKS)]


def rows_of(
    standard: Standard, log: list[tuple[int, LoggedCommand]]
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    rows = [(e.cycle, channel, standard.command_ids[e.command], e.bank, e.row, e.column) for channel, e in log]
    return np.array(rows, dtype=np.int64).reshape(-1, 6)


def shuffled(logs: dict[int, list[LoggedCommand]], draw: random.Random) -> list[tuple[int, LoggedCommand]]:
    """The logs of several channels as one, each in its order."""
    turns = [channel for channel, log in logs.items() for _ in log]
    draw.shuffle(turns)
    left = {channel: iter(log) for channel, log in logs.items()}
    return [(channel, next(left[channel])) for channel in turns]


def streamed(standard: Standard, rows: np.ndarray, cuts: list[int], *, check_modes: bool) -> StreamChecker:  # type: ignore[type-arg]
    checker = StreamChecker(standard, check_modes=check_modes)
    for part in np.split(rows, sorted(cuts)):
        checker.feed(part)
    return checker


@pytest.mark.parametrize("standard", CASES, ids=lambda s: f"{s.name}-{s.ranks}-{len(s.commands)}")
@given(seed=st.integers(0, 1 << 32), channels=st.integers(1, 4), mistakes=st.integers(0, 6), check_modes=st.booleans())
@settings(max_examples=60)
def test_it_finds_what_the_slow_checker_finds(
    standard: Standard, seed: int, channels: int, mistakes: int, check_modes: bool
) -> None:
    draw = random.Random(seed)
    logs = {}
    for channel in draw.sample(range(1 << 16), channels):
        legal = legal_log(standard, draw, 60, check_modes=check_modes)
        assert first_violation(legal, standard, check_modes=check_modes) is None
        logs[channel] = with_mistakes(legal, standard, draw, draw.randint(0, mistakes))
    rows = rows_of(standard, shuffled(logs, draw))
    cuts = [draw.randint(0, len(rows)) for _ in range(3)]
    checker = streamed(standard, rows, cuts, check_modes=check_modes)
    slow = {channel: first_violation(log, standard, check_modes=check_modes) for channel, log in sorted(logs.items())}
    assert checker.violations == {channel: violation for channel, violation in slow.items() if violation}
    assert checker.commands == {channel: len(log) for channel, log in sorted(logs.items()) if log}


@pytest.mark.parametrize("standard", CASES, ids=lambda s: f"{s.name}-{s.ranks}-{len(s.commands)}")
def test_a_command_one_cycle_before_its_time_is_found_and_in_time_it_is_not(standard: Standard) -> None:
    log = legal_log(standard, random.Random(13), 300)
    late = [i for i in range(1, len(log)) if log[i].cycle > log[i - 1].cycle + 1]
    found = 0
    for index in late:
        early = [*log[:index], replace(log[index], cycle=log[index].cycle - 1)]
        slow = first_violation(early, standard)
        checker = streamed(standard, rows_of(standard, [(0, entry) for entry in early]), [], check_modes=False)
        assert checker.violations == ({0: slow} if slow else {})
        found += slow is not None
    assert found >= len(late) // 3


def test_a_channel_stays_as_its_first_violation_found_it() -> None:
    ddr4 = load_standard("ddr4_2133")
    log = [
        LoggedCommand(cycle=0, command="ACT", bank=0, row=7),
        LoggedCommand(cycle=3, command="RD", bank=0, row=7, column=0),
        LoggedCommand(cycle=90, command="PRE", bank=0),
        LoggedCommand(cycle=91, command="RD", bank=0, row=7, column=0),
    ]
    checker = StreamChecker(ddr4)
    checker.feed(rows_of(ddr4, [(5, entry) for entry in log]))
    assert checker.commands == {5: 4}
    assert checker.violations == {
        5: Violation(index=1, command=log[1], rule="ACT -> RD at bank: 15 cycles, found 3", earliest=15)
    }


def test_a_refresh_finds_open_what_its_log_line_names() -> None:
    """An activate of several banks may name a row that is open in some of them; a refresh may not."""
    aim = load_standard("gddr6_aim")
    log = [LoggedCommand(cycle=0, command="ACT", bank=0, row=7), LoggedCommand(cycle=900, command="REFab", row=7)]
    checker = StreamChecker(aim)
    checker.feed(rows_of(aim, [(0, entry) for entry in log]))
    assert checker.violations == {0: Violation(index=1, command=log[1], rule="needs closed banks, found closed, row 7")}


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    """A log of 200 MB needs no more than one of 4; here the second is twelve times as long as the first."""
    standard = load_standard("ddr4_2133", refresh=False)

    def log_of(rounds: int) -> Path:
        path = tmp_path / f"{rounds}.csv"
        with path.open("w") as file:
            file.write("cycle,channel,command,bank,row,column\n")
            for i in range(rounds):
                file.write(f"{200 * i},0,ACT,3,{i % 9},-1\n{200 * i},1,ACT,3,{i % 9},-1\n")
                file.write(f"{200 * i + 50},1,RDA,3,{i % 9},0\n{200 * i + 60},0,WRA,3,{i % 9},1\n")
        return path

    def peak(path: Path) -> int:
        tracemalloc.start()
        checked = check_log(path, standard)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert checked.legal
        return most

    short, long = log_of(25_000), log_of(300_000)
    check_log(short, standard)  # compiles
    assert peak(long) < 1.05 * peak(short)

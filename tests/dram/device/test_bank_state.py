"""The compiled bank state says what looking up the log says."""

from __future__ import annotations

import random

import pytest

from hwsim.dram.device.bank_state import earliest, new_bank_state, note
from hwsim.dram.device.standard import Constraint, Standard
from hwsim.dram.device.tables import NEVER, compile_tables
from hwsim.dram.standards.load import STANDARDS, load_standard

Issue = tuple[int, str, int]


def by_the_log(standard: Standard, log: list[Issue], command: str, bank: int) -> int:
    """The first cycle that one command a cycle and every constraint allow, from the whole log."""
    bounds = [log[-1][0] + 1] if log else [NEVER + 1]
    for wait in standard.constraints:
        if wait.following == command and standard.shares_node(wait):
            past = [cycle for cycle, name, at in log if name == wait.preceding and _applies(standard, wait, at, bank)]
            if len(past) >= wait.window:
                bounds.append(past[-wait.window] + wait.latency)
    return max(bounds)


def _applies(standard: Standard, wait: Constraint, preceding: int, following: int) -> bool:
    here, there = standard.node(wait.level, following), standard.node(wait.level, preceding)
    return (here != there) if wait.siblings else (here == there)


@pytest.mark.parametrize("name", STANDARDS)
@pytest.mark.parametrize("seed", range(5))
def test_random_issues_leave_the_bounds_that_their_log_implies(name: str, seed: int) -> None:
    standard = load_standard(name)
    tables = compile_tables(standard)
    state = new_bank_state(tables, 2)
    draw, log, ids = random.Random(seed), list[Issue](), standard.command_ids
    for _ in range(60):
        command = draw.choice(list(standard.commands))
        block = standard.banks_below(standard.commands[command].scope)
        bank = draw.randrange(standard.banks) // block * block
        expected = by_the_log(standard, log, command, bank)
        assert earliest(state, tables, 1, ids[command], bank) == expected
        cycle = max(expected, 0) + draw.choice((0, 0, 1, 7))
        note(state, tables, 1, ids[command], bank, cycle)
        log.append((cycle, command, bank))


def test_channels_know_nothing_of_each_other() -> None:
    standard = load_standard("ddr4_2133")
    tables = compile_tables(standard)
    state = new_bank_state(tables, 2)
    note(state, tables, 0, standard.command_ids["ACT"], 3, 100)
    assert earliest(state, tables, 0, standard.command_ids["RD"], 3) == 115
    assert earliest(state, tables, 1, standard.command_ids["RD"], 3) == NEVER + 1

"""What the compiled checker knows of a standard, as flat integer arrays.

It keeps past issues as the slow checker does and looks back at them. The players' tables (`tables.py`) look forward;
the two share nothing.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.checker import MODE_SWITCH
from hwsim.dram.device.standard import Command, Constraint, Standard

Ints = NDArray[np.int64]
NO_LIMIT = -1


class Kind(IntEnum):
    """What a command does to rows, `Fact.KIND`."""

    OTHER = 0
    ACTIVATE = 1
    COLUMN = 2
    REFRESH = 3


class Mode(IntEnum):
    """The mode that a command needs, `Fact.MODE`."""

    ANY = 0
    ARRAY = 1
    REGISTER = 2


class Fact(IntEnum):
    """Columns of `CheckTables.commands`."""

    KIND = 0
    CLOSES = 1  # whether it leaves its banks closed
    NAMES_BANK = 2
    ROWS = 3  # its row lies below this, or NO_LIMIT
    COLUMNS = 4
    MODE = 5
    SWITCHES_MODE = 6
    STRIDED = 7  # whether it works on banks that do not lie side by side
    FIRST_WAIT = 8
    LAST_WAIT = 9
    FIRST_PAST = 10
    LAST_PAST = 11


class Wait(IntEnum):
    """Columns of `CheckTables.waits`: after which issues a command must wait."""

    PLACE = 0  # of these issues in a channel's history, from node 0 on
    DEPTH = 1  # how many of them are kept in each node
    BANKS = 2  # in a node
    NODES = 3
    WINDOW = 4
    LATENCY = 5
    SIBLINGS = 6


class Past(IntEnum):
    """Columns of `CheckTables.pasts`: where an issue of a command is kept."""

    PLACE = 0
    DEPTH = 1
    BANKS = 2


class Kept(NamedTuple):
    """Issues of one command at one level in a channel's history, and their row among `CheckTables.pasts`."""

    command: str
    level: str
    place: int
    depth: int
    banks: int
    nodes: int


class CheckTables(NamedTuple):
    """A standard for the compiled checker.

    Attributes
    ----------
    commands : (commands, len(Fact))
    waits : (n, len(Wait)) grouped by the command that waits
    pasts : (n, len(Past)) grouped by the command that is issued
    covered : (commands, banks, 3) start, stop and step of the banks that an issue works on
    history : places in a channel's history
    """

    commands: Ints
    waits: Ints
    pasts: Ints
    covered: Ints
    history: int


def compile_check(standard: Standard, *, check_modes: bool) -> tuple[CheckTables, tuple[Kept, ...]]:
    """The tables of a standard, and what the places of a channel's history mean."""
    usable = [c for c in standard.constraints if standard.shares_node(c)]
    kept = _kept(standard, usable)
    at = {(issues.command, issues.level): issues for issues in kept}
    commands: list[list[int]] = []
    waits: list[list[int]] = []
    pasts: list[list[int]] = []
    for name, command in standard.commands.items():
        first_wait, first_past = len(waits), len(pasts)
        waits += [_wait(c, at[c.preceding, c.level]) for c in usable if c.following == name]
        pasts += [[issues.place, issues.depth, issues.banks] for issues in kept if issues.command == name]
        places = [first_wait, len(waits), first_past, len(pasts)]
        commands.append([*_facts(standard, command, check_modes=check_modes), *places])
    tables = CheckTables(
        commands=_rows(commands, len(Fact)),
        waits=_rows(waits, len(Wait)),
        pasts=_rows(pasts, len(Past)),
        covered=np.array([_covered(standard, name) for name in standard.commands], dtype=np.int64),
        history=sum(issues.depth * issues.nodes for issues in kept),
    )
    return tables, kept


def _kept(standard: Standard, constraints: list[Constraint]) -> tuple[Kept, ...]:
    depths: dict[tuple[str, str], int] = {}
    for c in constraints:
        depths[c.preceding, c.level] = max(depths.get((c.preceding, c.level), 1), c.window)
    kept, place = [], 0
    for (command, level), depth in depths.items():
        banks = standard.banks_below(level)
        nodes = standard.banks // banks
        kept.append(Kept(command=command, level=level, place=place, depth=depth, banks=banks, nodes=nodes))
        place += depth * nodes
    return tuple(kept)


def _facts(standard: Standard, command: Command, *, check_modes: bool) -> list[int]:
    """The columns of `Fact` up to STRIDED."""
    reserved = standard.reserved_rows if command.reserved or command.kind == "activate" else 0
    mode = Mode.REGISTER if command.kind == "register" else Mode.ARRAY
    return [
        {"activate": Kind.ACTIVATE, "column": Kind.COLUMN, "refresh": Kind.REFRESH}.get(command.kind, Kind.OTHER),
        command.kind == "precharge" or command.auto_precharge,
        standard.banks_below(command.scope) != standard.banks,
        standard.rows + reserved if command.kind in ("activate", "column") else NO_LIMIT,
        standard.columns if command.kind == "column" else NO_LIMIT,
        mode if check_modes and command.kind != "other" else Mode.ANY,
        command.name == MODE_SWITCH,
        command.stride is not None,
    ]


def _wait(constraint: Constraint, issues: Kept) -> list[int]:
    return [
        issues.place,
        issues.depth,
        issues.banks,
        issues.nodes,
        constraint.window,
        constraint.latency,
        constraint.siblings,
    ]


def _covered(standard: Standard, command: str) -> list[tuple[int, int, int]]:
    spans = [standard.banks_of(command, bank) for bank in range(standard.banks)]
    return [(span.start, span.stop, span.step) for span in spans]


def _rows(rows: list[list[int]], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(-1, width)

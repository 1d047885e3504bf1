"""A standard as flat integer tables, which every compiled player reads.

Waits are grouped by the command that was issued: a player that issues a command moves the first allowed cycle of those
that must wait for it (`bank_state.note`), and later reads one number a level (`bank_state.earliest`).
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.standard import Constraint, Standard

Ints = NDArray[np.int64]
NEVER = -(1 << 60)
FOREVER = 1 << 60
NO_COMMAND = -1


class Kind(IntEnum):
    """Kinds of commands, `Fact.KIND`."""

    ACTIVATE = 0
    PRECHARGE = 1
    COLUMN = 2
    REGISTER = 3
    REFRESH = 4
    OTHER = 5


class Fact(IntEnum):
    """Columns of `Tables.commands`."""

    KIND = 0
    BLOCK = 1  # banks that one issue covers
    DEPTH = 2  # levels, from the channel down, whose nodes hold all these banks
    ACTIVATE = 3  # the command that opens the row of a column command, or NO_COMMAND
    PRECHARGE = 4
    AUTO = 5  # whether the row is closed after the access
    DURATION = 6
    SPACING = 7  # cycles between two issues to one open row
    WINDOWED = 8  # whether a wait counts from an issue before the last one
    FIRST = 9  # the waits of other commands for this one
    LAST = 10


class Wait(IntEnum):
    """Columns of `Tables.waits`: what `FOLLOWING` waits after the command to which the row belongs."""

    LEVEL = 0
    FOLLOWING = 1
    LATENCY = 2
    WINDOW = 3  # 1 counts from the last issue in the node, 4 from the fourth last
    PLACE = 4  # of the issues of node 0 in `BankState.history`, where WINDOW is more than 1
    SIBLINGS = 5  # whether it holds in the other nodes of the level


class Tables(NamedTuple):
    """A standard as flat arrays.

    Attributes
    ----------
    commands : (commands, len(Fact))
    waits : (n, len(Wait)) grouped by the command that was issued
    nodes : (levels, banks) number of the node of each level that holds a bank; nodes are counted over all levels
    first_node : (levels + 1,) number of the first node of each level
    history : places in `BankState.history`
    reach : the longest wait
    """

    commands: Ints
    waits: Ints
    nodes: Ints
    first_node: Ints
    history: int
    reach: int


def compile_tables(standard: Standard, issued: Collection[str] | None = None) -> Tables:
    """Flatten a standard for numba, with the waits between the commands that a player issues: by default all."""
    ids = standard.command_ids
    pairs = standard.commands if issued is None else issued
    usable = [c for c in standard.constraints if standard.shares_node(c) and {c.preceding, c.following} <= set(pairs)]
    nodes = [standard.banks // standard.banks_below(level) for level in standard.level_names]
    first_node = np.cumsum([0, *nodes])
    commands: list[list[int]] = []
    waits: list[list[int]] = []
    history = 0
    for name, command in standard.commands.items():
        first = len(waits)
        own = [c for c in usable if c.preceding == name]
        for wait in own:
            level = standard.level_names.index(wait.level)
            waits.append(
                [
                    level,
                    ids[wait.following],
                    wait.latency,
                    wait.window,
                    history if wait.window > 1 else -1,
                    wait.siblings,
                ]
            )
            history += nodes[level] * wait.window if wait.window > 1 else 0
        commands.append(
            [
                Kind[command.kind.upper()],
                standard.banks_below(command.scope),
                standard.level_names.index(command.scope) + 1,
                ids.get(command.activate or "", NO_COMMAND),
                ids.get(command.precharge or "", NO_COMMAND),
                command.auto_precharge,
                command.duration,
                _spacing(own),
                any(wait.window > 1 for wait in own),
                first,
                len(waits),
            ]
        )
    return Tables(
        commands=np.array(commands, dtype=np.int64),
        waits=np.array(waits, dtype=np.int64).reshape(-1, len(Wait)),
        nodes=np.array(
            [
                [first_node[level] + standard.node(name, bank) for bank in range(standard.banks)]
                for level, name in enumerate(standard.level_names)
            ],
            dtype=np.int64,
        ),
        first_node=first_node.astype(np.int64),
        history=history,
        reach=max((c.latency for c in usable), default=0),
    )


def _spacing(own: list[Constraint]) -> int:
    """Cycles from one issue of a command to the next in the same bank."""
    return max([1, *(c.latency for c in own if c.following == c.preceding and c.window == 1 and not c.siblings)])

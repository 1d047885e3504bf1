"""A standard, the instruction set and the state of channels as flat arrays, for the fast player.

The state of a class of channels is one row of integers; `Tables.layout` gives the positions in it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.aim.isa import OPERATIONS
from hwsim.dram.device.standard import Standard

Ints = NDArray[np.int64]

NEVER = -(1 << 60)
FOREVER = 1 << 60
# State: members of the class (bits of the channel mask), then scalars.
(MEMBERS, LAST_ISSUE, LAST_LEFT, REGISTER_MODE, WRITE_FIRST, NEXT, LAST_ANSWER, LAST_FINISH, BUSY_UNTIL, BUSY,
 OPEN_SINCE, OPEN_BANKS, OPEN_CYCLES, RING_AT, READS, WRITES, OPENED, LAST_COMMAND, ACCOUNTED,
 REFRESHES, DUE, SCALARS) = range(22)  # fmt: skip
# Columns of Tables.operations.
COMMAND, REGISTER, BLOCKING, ORDINARY, BARRIER = range(5)
# Columns of Tables.commands.
KIND, ALL_BANKS, ACTIVATE, PRECHARGE, AUTO, DURATION, SPACING, FIRST, LAST, PREPARES = range(10)
KINDS = {"activate": 0, "precharge": 1, "column": 2, "register": 3, "refresh": 4, "other": 5}
KIND_ACTIVATE, KIND_PRECHARGE, KIND_COLUMN = 0, 1, 2
# Tables.refresh
INTERVAL, TURNS, REFRESH, CLOSE, GROUP = range(5)
PREPARING = ("activate", "precharge", "refresh", "other")
# Columns of Tables.constraints: place of bank 0's past issue in the state, banks of a node, latency.
PLACE, NODE_BANKS, LATENCY = range(3)
# A waiting ordinary request: bank, row, arrival, whether it reads.
ENTRY = 4
# Host state.
CLOCK, FUNCTION, CLASSES = range(3)
# Log entries: members, cycle, command, bank, row, first column, count, spacing.
LOG_FIELDS = 8
LOG_MARGIN = 16384  # entries; most instructions write fewer


class Tables(NamedTuple):
    """A standard and the instruction set as flat arrays.

    Attributes
    ----------
    operations : (operations, 5); COMMAND is -1 if channels see no command
    commands : (commands, 10); FIRST and LAST delimit a command's constraints, PREPARES marks commands to which the wait
        after them is charged
    constraints : (n, 3) grouped by the following command
    levels : (levels, 2) place of node 0's command 0 in the state, banks of a node
    layout : places of OPEN_ROWS, RING, READ_BUFFER, WRITE_BUFFER, OPENED_BUFFER, COUNTS, GAPS, then: size of the
        state, banks, commands, queue depth, TMOD, rows of a bank
    refresh : interval (0 for none), turns, the command, the precharge before it, how many refreshes are due together
    """

    operations: Ints
    commands: Ints
    constraints: Ints
    levels: Ints
    layout: Ints
    refresh: Ints


(ROWS_AT, RING_BASE, READ_AT, WRITE_AT, OPENED_AT, COUNTS_AT, GAPS_AT, SIZE, BANKS, COMMANDS, DEPTH, TMOD,
 ROWS) = range(13)  # fmt: skip


def compile_tables(standard: Standard, queue_depth: int) -> Tables:
    """Flatten a standard for the kernel."""
    ids = standard.command_ids
    place = SCALARS
    layout = []
    for size in (standard.banks, queue_depth, queue_depth * ENTRY, queue_depth * ENTRY, standard.banks * ENTRY):
        layout.append(place)
        place += size
    layout += [place, place + len(ids)]
    place += 2 * len(ids) + 1  # the last gap is the wait for a barrier's answer
    levels = []
    for level in standard.level_names:
        banks = standard.banks_below(level)
        levels.append((place, banks))
        place += standard.banks // banks * len(ids)
    layout += [place, standard.banks, len(ids), queue_depth, ids["TMOD"], standard.rows]

    commands: list[list[int]] = []
    constraints: list[tuple[int, int, int]] = []
    for name, command in standard.commands.items():
        waits = [c for c in standard.constraints if c.following == name and standard.shares_node(c)]
        first = len(constraints)
        for wait in waits:
            base, banks = levels[standard.level_names.index(wait.level)]
            constraints.append((base + ids[wait.preceding], banks, wait.latency))
        commands.append(
            [
                KINDS[command.kind],
                int(standard.banks_below(command.scope) == standard.banks),
                ids.get(command.activate or "", -1),
                ids.get(command.precharge or "", -1),
                int(command.auto_precharge),
                command.duration,
                max([1, *(c.latency for c in waits if c.preceding == name)]),
                first,
                len(constraints),
                int(command.kind in PREPARING),
            ]
        )
    operations = [
        (ids[o.command] if o.command else -1, o.register_mode, o.blocking, o.ordinary, o.barrier)
        for o in OPERATIONS.values()
    ]
    rule = standard.refresh
    refresh = (0, 1, -1, -1, 1)
    if rule:
        refresh = (rule.interval, rule.turns, ids[rule.command], ids[rule.precharge], rule.postponed + 1)
    return Tables(
        operations=np.array(operations, dtype=np.int64),
        commands=np.array(commands, dtype=np.int64),
        constraints=np.array(constraints, dtype=np.int64),
        levels=np.array(levels, dtype=np.int64),
        layout=np.array(layout, dtype=np.int64),
        refresh=np.array(refresh, dtype=np.int64),
    )


def new_state(tables: Tables, channels: int) -> tuple[Ints, Ints]:
    """States of the classes, all channels in the first, and the host's."""
    states = np.zeros((channels, tables.layout[SIZE]), dtype=np.int64)
    first = states[0]
    first[MEMBERS] = (1 << channels) - 1
    for at in (LAST_ISSUE, LAST_LEFT, LAST_ANSWER, LAST_FINISH):
        first[at] = NEVER
    first[NEXT] = first[BUSY_UNTIL] = 1
    first[OPEN_SINCE] = first[LAST_COMMAND] = -1
    interval, turns, group = tables.refresh[INTERVAL], tables.refresh[TURNS], tables.refresh[GROUP]
    first[DUE] = group * interval // turns if interval else FOREVER
    first[tables.layout[ROWS_AT] : tables.layout[RING_BASE]] = -1
    first[tables.layout[RING_BASE] : tables.layout[READ_AT]] = NEVER
    first[tables.levels[0, 0] :] = NEVER
    return states, np.array([1, 0, 1], dtype=np.int64)


def counters(state: Ints, tables: Tables) -> Ints:
    """The counters of a state: busy cycles, cycles with an open row, issues by command, cycles by command."""
    at = slice(tables.layout[COUNTS_AT], tables.layout[GAPS_AT] + tables.layout[COMMANDS] + 1)
    return np.concatenate([state[[BUSY, OPEN_CYCLES]], state[at]])

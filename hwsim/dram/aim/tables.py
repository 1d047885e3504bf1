"""A standard and the instruction set as flat tables, for the fast player."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from hwsim.dram.aim.isa import OPERATIONS, Ints
from hwsim.dram.device.standard import Standard
from hwsim.dram.device.tables import NO_COMMAND, Tables, compile_tables

MODE_SWITCH = "TMOD"


class Does(IntEnum):
    """Columns of `AimTables.operations`: what an instruction does."""

    COMMAND = 0  # of each of its requests, or NO_COMMAND if channels see none
    REGISTER = 1
    BLOCKING = 2
    ORDINARY = 3
    BARRIER = 4


class Rule(IntEnum):
    """Places in `AimTables.refresh`."""

    INTERVAL = 0  # 0 without refresh
    TURNS = 1
    COMMAND = 2
    CLOSE = 3  # the precharge before it
    GROUP = 4  # how many are due together


class AimTables(NamedTuple):
    """A standard and the instruction set.

    Attributes
    ----------
    device : the standard, with the waits between the commands that AiM's channels issue
    operations : (operations, len(Does))
    refresh : (len(Rule),)
    queue_depth : requests of a kind that a channel holds
    mode_switch : the command that switches between the array and the registers
    rows : of a bank; the rows from there on are those of the activation functions
    """

    device: Tables
    operations: Ints
    refresh: Ints
    queue_depth: int
    mode_switch: int
    rows: int


def compile_aim(standard: Standard, queue_depth: int) -> AimTables:
    """Flatten a standard and the instruction set for the kernel."""
    ids = standard.command_ids
    device = compile_tables(standard, _issued(standard))
    assert not device.history, "AiM's reference looks up the last issue of a command only"
    operations = [
        (ids[o.command] if o.command else NO_COMMAND, o.register_mode, o.blocking, o.ordinary, o.barrier)
        for o in OPERATIONS.values()
    ]
    rule = standard.refresh
    refresh = (0, 1, NO_COMMAND, NO_COMMAND, 1)
    if rule:
        refresh = (rule.interval, rule.turns, ids[rule.command], ids[rule.precharge], rule.postponed + 1)
    return AimTables(
        device=device,
        operations=np.array(operations, dtype=np.int64),
        refresh=np.array(refresh, dtype=np.int64),
        queue_depth=queue_depth,
        mode_switch=ids[MODE_SWITCH],
        rows=standard.rows,
    )


def _issued(standard: Standard) -> set[str]:
    """The commands that the channels issue."""
    accesses = {operation.command for operation in OPERATIONS.values() if operation.command}
    names = {MODE_SWITCH, *accesses}
    for access in accesses:
        command = standard.commands[access]
        names |= {name for name in (command.activate, command.precharge) if name}
    return names | ({standard.refresh.command, standard.refresh.precharge} if standard.refresh else set())

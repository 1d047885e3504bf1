"""A standard as the in-order players read it: its tables, rows, refresh, and what its commands do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hwsim.dram.device.standard import Standard
from hwsim.dram.device.tables import NO_COMMAND, Ints, Tables, compile_tables
from hwsim.dram.in_order.causes import cause_of


class Rules(NamedTuple):
    """A standard for an in-order controller.

    Attributes
    ----------
    tables : commands and the waits between them
    cause : (commands,) what each command does, a `Cause`
    columns : columns of a row
    refresh, refresh_precharge : numbers of these commands, NO_COMMAND without refresh
    interval : cycles between two refreshes
    """

    tables: Tables
    cause: Ints
    columns: int
    refresh: int
    refresh_precharge: int
    interval: int


def compile_rules(standard: Standard) -> Rules:
    """Flatten a standard for numba."""
    ids, refresh = standard.command_ids, standard.refresh
    return Rules(
        tables=compile_tables(standard),
        cause=np.array([cause_of(command) for command in standard.commands.values()], dtype=np.int64),
        columns=standard.columns,
        refresh=ids[refresh.command] if refresh else NO_COMMAND,
        refresh_precharge=ids[refresh.precharge] if refresh else NO_COMMAND,
        interval=refresh.interval if refresh else 0,
    )

"""Bank state: open rows, and the first cycle in which each command may be issued.

`bank_state.py` has the compiled functions on it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hwsim.dram.device.tables import NEVER, Ints, Tables

CLOSED = -1


class BankState(NamedTuple):
    """Channels of one standard; the first axis of every array is the channel.

    Attributes
    ----------
    allowed : (channels, nodes, commands) first cycle in which a command may go, by the issues in a node
    history : (channels, places) past issues for waits that count from an issue before the last, newest first
    open_rows : (channels, banks) the open row, or CLOSED
    common_row : (channels,) the row that is open in all banks, or CLOSED
    open_banks : (channels,) number of banks with an open row
    last_issue : (channels,) cycle of the last command
    """

    allowed: Ints
    history: Ints
    open_rows: Ints
    common_row: Ints
    open_banks: Ints
    last_issue: Ints


def new_bank_state(tables: Tables, channels: int) -> BankState:
    """Idle channels with all banks closed."""
    banks = tables.nodes.shape[1]
    nodes = int(tables.first_node[-1])
    return BankState(
        allowed=np.full((channels, nodes, len(tables.commands)), NEVER, dtype=np.int64),
        history=np.full((channels, tables.history), NEVER, dtype=np.int64),
        open_rows=np.full((channels, banks), CLOSED, dtype=np.int64),
        common_row=np.full(channels, CLOSED, dtype=np.int64),
        open_banks=np.zeros(channels, dtype=np.int64),
        last_issue=np.full(channels, NEVER, dtype=np.int64),
    )

"""The state of channels that play programs in order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hwsim.dram.device.state import BankState, new_bank_state
from hwsim.dram.device.tables import FOREVER, NEVER, Ints
from hwsim.dram.in_order.rules import Rules


class Channels(NamedTuple):
    """Channels of one standard; the first axis of every array is the channel.

    Channels whose states are equal form a class. The lowest of them stands for all: only its place in the other arrays
    counts.

    Attributes
    ----------
    class_of : (channels,) the channel that stands for each
    banks : open rows, and the first cycle in which each command may go
    due : (channels,) cycle in which the next refresh falls due
    data_issues : (channels, n) last issues of commands whose data the player tracks itself; none in order
    """

    class_of: Ints
    banks: BankState
    due: Ints
    data_issues: Ints


def new_channels(rules: Rules, channels: int, first_refresh: int | None, *, tracked: int = 0) -> Channels:
    """Idle channels with all banks closed, all of one class.

    Parameters
    ----------
    first_refresh : cycle in which the first refresh falls due; by default one interval after 0
    tracked : number of commands whose last issues are kept
    """
    due = rules.interval if first_refresh is None else first_refresh
    return Channels(
        class_of=np.zeros(channels, dtype=np.int64),
        banks=new_bank_state(rules.tables, channels),
        due=np.full(channels, due if rules.interval else FOREVER, dtype=np.int64),
        data_issues=np.full((channels, tracked), NEVER, dtype=np.int64),
    )

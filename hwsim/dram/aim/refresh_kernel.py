"""Refresh of a channel, compiled."""

from __future__ import annotations

import numpy as np

from hwsim.dram.aim.issue_kernel import issue, switch_mode
from hwsim.dram.aim.state import Control
from hwsim.dram.aim.tables import Rule
from hwsim.dram.device.bank_state import earliest
from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.state import CLOSED
from hwsim.dram.device.tables import FOREVER, NEVER

# numpy's integers: see `state.READS`
ANY_TIME, NO_LIMIT = np.int64(NEVER), np.int64(FOREVER)
_NONE = np.int64(-1)


@inlined
def catch_up(s, t, c, log, until):
    """Refresh a channel without requests up to and in cycle `until`."""
    while s.control[c, Control.DUE] <= until:
        if not refresh(s, t, c, log, ANY_TIME, until):
            break


@compiled
def refresh(s, t, c, log, since, until):
    """Issue the next command of the refresh that is due, not before `since`; return whether it came by `until`."""
    command, bank = _next_command(s, t, c)
    cycle = max(since, s.control[c, Control.DUE], earliest(s.banks, t.device, c, command, max(bank, 0)))
    if cycle > until:
        return False
    command = switch_mode(s, t, c, command, 0)
    issue(s, t, c, log, command, bank, _NONE, cycle)
    if command == t.refresh[Rule.COMMAND]:
        _note_refresh(s, t, c)
    return True


@inlined
def _next_command(s, t, c):
    """The refresh itself or the precharge before it, and the bank, -1 for all: banks due together are closed first."""
    turns = t.refresh[Rule.TURNS]
    if turns == 1:
        return t.refresh[Rule.CLOSE] if s.banks.open_banks[c] > 0 else t.refresh[Rule.COMMAND], _NONE
    done = s.control[c, Control.REFRESHES]
    for k in range(done, _end_of_group(t, done)):
        if s.banks.open_rows[c, k % turns] != CLOSED:
            return t.refresh[Rule.CLOSE], k % turns
    return t.refresh[Rule.COMMAND], done % turns


@inlined
def _end_of_group(t, k):
    """The first refresh that is not due together with refresh `k`."""
    return (k // t.refresh[Rule.GROUP] + 1) * t.refresh[Rule.GROUP]


@inlined
def _note_refresh(s, t, c):
    """Count a refresh; after the last of a group the next group is due."""
    k = s.control[c, Control.REFRESHES] + 1
    s.control[c, Control.REFRESHES] = k
    group, interval, turns = t.refresh[Rule.GROUP], t.refresh[Rule.INTERVAL], t.refresh[Rule.TURNS]
    if k % group == 0:
        # times may count from any cycle, so only differences are known
        s.control[c, Control.DUE] += (k + group) * interval // turns - k * interval // turns

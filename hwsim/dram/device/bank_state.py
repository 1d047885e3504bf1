"""Bank state for compiled players: open rows, and the first cycle in which each command may be issued.

The state is forward: an issue moves the first allowed cycle of every command that must wait for it, in each node where
the wait holds. It is equal to looking up all past issues (`in_order/reference.py` does), because a later issue never
allows anything earlier than an earlier one.
"""

from __future__ import annotations

from hwsim.dram.device.compiled import inlined
from hwsim.dram.device.state import CLOSED, BankState, new_bank_state
from hwsim.dram.device.tables import Fact, Kind, Wait

__all__ = ["CLOSED", "BankState", "earliest", "needed", "new_bank_state", "note", "opens", "set_rows"]


@inlined
def earliest(s, t, c, command, bank):
    """First cycle in which the command bus and every wait allow `command` in `bank` of channel `c`."""
    bound = s.last_issue[c] + 1
    for level in range(t.commands[command, Fact.DEPTH]):
        bound = max(bound, s.allowed[c, t.nodes[level, bank], command])
    return bound


@inlined
def note(s, t, c, command, bank, cycle):
    """Record an issue: every command that waits for it moves."""
    for k in range(t.commands[command, Fact.FIRST], t.commands[command, Fact.LAST]):
        level, following = t.waits[k, Wait.LEVEL], t.waits[k, Wait.FOLLOWING]
        node = t.nodes[level, bank]
        bound = cycle + t.waits[k, Wait.LATENCY]
        if t.waits[k, Wait.SIBLINGS]:
            for other in range(t.first_node[level], t.first_node[level + 1]):
                if other != node:
                    s.allowed[c, other, following] = max(s.allowed[c, other, following], bound)
            continue
        if t.waits[k, Wait.WINDOW] > 1:
            bound = _windowed(s, t, c, k, node - t.first_node[level], cycle)
        s.allowed[c, node, following] = max(s.allowed[c, node, following], bound)
    s.last_issue[c] = cycle


@inlined
def _windowed(s, t, c, k, node, cycle):
    """Enter an issue in the history of a wait, and return the bound that the issue `window` back gives."""
    window = t.waits[k, Wait.WINDOW]
    past = t.waits[k, Wait.PLACE] + node * window
    for i in range(past + window - 1, past, -1):
        s.history[c, i] = s.history[c, i - 1]
    s.history[c, past] = cycle
    return s.history[c, past + window - 1] + t.waits[k, Wait.LATENCY]


@inlined
def set_rows(s, t, c, command, bank, row):
    """Open `row` in the banks that a command covers, or close them (CLOSED)."""
    block = t.commands[command, Fact.BLOCK]
    banks = s.open_rows.shape[1]
    if block == banks:
        for b in range(banks):
            s.open_rows[c, b] = row
        s.common_row[c] = row
        s.open_banks[c] = banks if row >= 0 else 0
        return
    first = bank // block * block
    for b in range(first, first + block):
        s.open_banks[c] += (row >= 0) - (s.open_rows[c, b] >= 0)
        s.open_rows[c, b] = row
    common = s.open_rows[c, 0]
    for b in range(1, banks):
        if s.open_rows[c, b] != common:
            common = CLOSED
            break
    s.common_row[c] = common


@inlined
def needed(s, t, c, command, bank, row):
    """The next command that a column access needs: its precharge, its activate, or the access itself."""
    block = t.commands[command, Fact.BLOCK]
    any_open = s.open_banks[c] > 0
    if block == s.open_rows.shape[1]:
        if s.common_row[c] == row:
            return command
    else:
        ready, any_open = True, False
        first = bank // block * block
        for b in range(first, first + block):
            ready = ready and s.open_rows[c, b] == row
            any_open = any_open or s.open_rows[c, b] >= 0
        if ready:
            return command
    return t.commands[command, Fact.PRECHARGE] if any_open else t.commands[command, Fact.ACTIVATE]


@inlined
def opens(t, command):
    return t.commands[command, Fact.KIND] == Kind.ACTIVATE

"""A channel's commands, compiled: which one a request needs next, and its issue."""

from __future__ import annotations

import numpy as np

from hwsim.dram.aim.ledger_kernel import charge, end_busy, note_open, write_log
from hwsim.dram.aim.state import Control
from hwsim.dram.device.bank_state import note, set_rows
from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.state import CLOSED
from hwsim.dram.device.tables import Fact, Kind

# numpy's integers: see `state.READS`
FIRST_COLUMN, _ONCE = np.int64(0), np.int64(1)


@inlined
def needed(s, t, c, access, bank, row):
    """The command that a request needs next.

    Unlike `bank_state.needed`, an access to all banks closes them only if one of them has another row open. Banks that
    have the wanted one open keep it, as in the public simulator, and the activate opens it in the others.
    """
    if t.device.commands[access, Fact.KIND] != Kind.COLUMN:
        return access
    command = t.device.commands[access, Fact.ACTIVATE]
    if t.device.commands[access, Fact.BLOCK] == 1:
        found = s.banks.open_rows[c, bank]
        if found == row:
            command = access
        elif found != CLOSED:
            command = t.device.commands[access, Fact.PRECHARGE]
    elif s.banks.common_row[c] == row:
        command = access
    elif s.banks.open_banks[c] > 0 and _any_other_row(s, c, row):
        command = t.device.commands[access, Fact.PRECHARGE]
    return command


@inlined
def _any_other_row(s, c, row):
    other = False
    for bank in range(s.banks.open_rows.shape[1]):
        other |= s.banks.open_rows[c, bank] != CLOSED and s.banks.open_rows[c, bank] != row
    return other


@inlined
def switch_mode(s, t, c, command, register_mode):
    """The command to issue in the wanted mode: the mode switch takes the place of one that could be issued now."""
    if s.control[c, Control.REGISTER_MODE] == register_mode:
        return command
    s.control[c, Control.REGISTER_MODE] = register_mode
    return t.mode_switch


@inlined
def issue(s, t, c, log, command, bank, row, cycle):
    """Record the issue of a command in the state, the ledger and the log."""
    issue_run(s, t, c, log, command, bank, row, FIRST_COLUMN, cycle, _ONCE, _ONCE)


@compiled
def issue_run(s, t, c, log, command, bank, row, column, cycle, count, spacing):
    """Record `count` issues of a command, the first at `cycle` and to `column`."""
    last = cycle + (count - 1) * spacing
    note(s.banks, t.device, c, command, max(bank, 0), last)
    charge(s.ledger, t, c, command, cycle, last, count)
    kind = t.device.commands[command, Fact.KIND]
    if kind == Kind.ACTIVATE:
        set_rows(s.banks, t.device, c, command, bank, row)
        note_open(s.ledger, c, True, last)
    elif kind == Kind.PRECHARGE or t.device.commands[command, Fact.AUTO]:
        set_rows(s.banks, t.device, c, command, bank, CLOSED)
        note_open(s.ledger, c, s.banks.open_banks[c] > 0, last)
    write_log(log, t, s.control[c, Control.MEMBERS], command, bank, row, column, cycle, count, spacing)


@inlined
def complete(s, c, end, answered):
    """Record the completion of requests: reads are answered in order, one a cycle."""
    end_busy(s.ledger, c, end)
    if answered:
        s.control[c, Control.LAST_ANSWER] = max(end, s.control[c, Control.LAST_ANSWER] + 1)
    else:
        s.control[c, Control.LAST_FINISH] = max(end, s.control[c, Control.LAST_FINISH])

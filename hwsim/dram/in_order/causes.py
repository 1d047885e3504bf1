"""To what the cycles of a play are charged.

A channel's time is cut at the issues of its program. From an issue on, its command's own slot (the spacing to the next
of its kind) counts as that command's work; the rest of the wait up to the next issue counts as whatever held that back.
"""

from __future__ import annotations

from enum import IntEnum

from hwsim.dram.device.compiled import inlined
from hwsim.dram.device.standard import Command


class Cause(IntEnum):
    """Columns of the cycles by cause."""

    COMPUTE = 0
    ROW = 1
    WRITE = 2
    IO = 3
    REFRESH = 4


CAUSES = tuple(cause.name.lower() for cause in Cause)


class Cursor(IntEnum):
    """How far a channel's time is charged."""

    CYCLE = 0  # all cycles before it are
    OWED = 1  # cycles from there on that belong to the last command itself
    CAUSE = 2  # what that command does


def cause_of(command: Command) -> Cause:
    """What a command does, as a cause of time."""
    if command.kind == "refresh":
        return Cause.REFRESH
    if command.kind == "register" or command.access == "read":
        return Cause.IO
    return {"compute": Cause.COMPUTE, "write": Cause.WRITE}.get(command.access or "", Cause.ROW)


@inlined
def charge_wait(causes, cursor, cycle, cause):
    """Charge the cycles up to an issue: the last command's slot to what it does, the wait after it to `cause`."""
    elapsed = cycle - cursor[Cursor.CYCLE]
    if elapsed <= 0:
        return
    own = min(elapsed, cursor[Cursor.OWED])
    causes[cursor[Cursor.CAUSE]] += own
    causes[cause] += elapsed - own
    cursor[Cursor.CYCLE] = cycle
    cursor[Cursor.OWED] = 0


@inlined
def charge_run(causes, cursor, final, spacing, cause):
    """Charge the cycles from the first to the last issue of a run to what it does; its last slot is then owed."""
    cursor[Cursor.CAUSE] = cause
    elapsed = final - cursor[Cursor.CYCLE]
    if elapsed < 0:
        return  # the run ends before the cycles that count
    causes[cause] += elapsed
    cursor[Cursor.CYCLE] = final
    cursor[Cursor.OWED] = spacing

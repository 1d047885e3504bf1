"""What the timing of a standard allows at most: the least cycles in which the accesses of a run can be served."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.requests import Ints

if TYPE_CHECKING:
    from hwsim.dram.random_access.served import Served


class Limit(NamedTuple):
    """The accesses take at least so many cycles; `name` says what it is that takes them."""

    name: str
    cycles: int


def limit(standard: Standard, served: Served, row_visits: Ints) -> Limit:
    """The strictest of the limits; refresh apart (`refresh_share`)."""
    return max(limits(standard, served, row_visits), key=lambda each: each.cycles)


def limits(standard: Standard, served: Served, row_visits: Ints) -> list[Limit]:
    """One limit for each wait between accesses, and between activates, in the busiest node of its level.

    What counts is where the accesses went, and how often rows had to be opened for them: once a visit (`RowVisits`), or
    as often as they were, if that was less. So rows that a controller opened in vain count against it. Turns between
    reads and writes, and the waits from one kind of command to another, are left out.

    Parameters
    ----------
    row_visits : (channels, banks)
    """
    accesses = served.bank_accesses
    if not accesses.sum():
        return [Limit("nothing", 0)]
    activates = np.minimum(row_visits, served.bank_activates)
    commands = int((accesses + activates).sum(axis=1).max())
    return [
        Limit("command bus", commands),
        *_access_limits(standard, served, accesses),
        *_activate_limits(standard, activates),
    ]


def refresh_share(standard: Standard) -> float:
    """The share of the time in which a bank cannot be used because it is refreshed."""
    rule = standard.refresh
    if rule is None:
        return 0.0
    return _wait(standard, rule.command, standard.commands["RD"].activate or "") / rule.interval


def _access_limits(standard: Standard, served: Served, accesses: Ints) -> list[Limit]:
    """The first and the last of n accesses of a node lie n - 1 spacings apart, and the last one completes."""
    kinds = [kind for kind in ("RD", "WR") if {kind, f"{kind}A"} & set(served.commands)]
    last = min(standard.commands[kind].duration for kind in kinds)
    found = []
    for level in standard.level_names:
        spacing = min(_wait(standard, kind, kind, level) for kind in kinds)
        if spacing:
            name = "data bus" if _is_above_bank_groups(standard, level) else f"accesses of one {level}"
            found.append(Limit(name, (_busiest(standard, level, accesses) - 1) * spacing + last))
    return found


def _activate_limits(standard: Standard, activates: Ints) -> list[Limit]:
    """The wait of each activate for the last, or the fourth last, before it in a node."""
    activate = standard.commands["RD"].activate
    waits = {
        (c.level, c.window, c.latency)
        for c in standard.constraints
        if c.preceding == c.following == activate and not c.siblings
    }
    found = []
    for level, window, latency in sorted(waits):
        name = f"activates of one {level}" if window == 1 else f"{window} activates of one {level}"
        waiting = max(0, _busiest(standard, level, activates) - 1) // window
        found.append(Limit("row cycle of one bank" if level == "bank" else name, waiting * latency))
    return found


def _is_above_bank_groups(standard: Standard, level: str) -> bool:
    """Whether all data of a level goes over one bus."""
    return standard.level_names.index(level) <= standard.level_names.index(standard.rank_level)


def _busiest(standard: Standard, level: str, counts: Ints) -> int:
    """The most that one node of a level has, of (channels, banks)."""
    return int(counts.reshape(-1, standard.banks_below(level)).sum(axis=1).max())


def _wait(standard: Standard, before: str, after: str, level: str | None = None) -> int:
    """The longest wait for the last of a command, at one level or at any; 0 for none."""
    waits = [
        c.latency
        for c in standard.constraints
        if (c.preceding, c.following, c.window, c.siblings) == (before, after, 1, False) and level in (None, c.level)
    ]
    return max(waits, default=0)

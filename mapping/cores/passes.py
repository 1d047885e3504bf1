"""Runs of rows on cores: passes of as many keys at a time as there are cores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.mapping.cores.colouring import colour
from hwsim.mapping.cores.loads import schedule_loads
from hwsim.mapping.cores.plan import CorePass, Flags, Ints, Residencies
from hwsim.mapping.cores.runs import Runs
from hwsim.mapping.cores.target import CoreTarget


@dataclass(frozen=True, kw_only=True, eq=False)
class PlacedRuns:
    """What one pass computes: rows by position, runs over these rows, a core for each run, and cores by kind."""

    rows: Ints
    runs: Runs
    core: Ints
    kinds: Mapping[str, int]


def place_runs(runs: Runs, rows: Ints, target: CoreTarget, kinds: Sequence[str]) -> Iterator[PlacedRuns]:
    """Passes that together have all runs, each with the rows that have work in it.

    Each part has cores of its own, one group after the other, and what finds no core is left for later passes. Rows
    that have no work then are dropped; as this brings others closer together, the cores are assigned anew.

    Parameters
    ----------
    runs : over `rows`
    rows : positions of queries in the order in which they go
    kinds : of the parts
    """
    while len(runs):
        chosen = np.arange(len(runs))
        core = np.full(len(runs), target.cores)
        while (core >= target.cores).any():
            found, working = without_idle_rows(runs.where(chosen), rows)
            core = _cores(found, target.bank_free_after)
            chosen = chosen[core < target.cores]
        yield PlacedRuns(rows=working, runs=found, core=core, kinds=_kinds(found, core, kinds))
        runs = runs.where(np.delete(np.arange(len(runs)), chosen))


def finish_passes(placed: Sequence[PlacedRuns], target: CoreTarget) -> tuple[CorePass, ...]:
    """The passes with what depends on all of them, and when keys are loaded."""
    positions = [each.rows for each in placed]
    earlier, later = _seen_before(positions), _seen_before(positions[::-1])[::-1]
    return tuple(
        CorePass(
            rows=each.rows,
            residencies=_residencies(each, target),
            carries_in=carries_in,
            carries_out=carries_out,
            kinds=each.kinds,
        )
        for each, carries_in, carries_out in zip(placed, earlier, later)
    )


def without_idle_rows(runs: Runs, rows: Ints) -> tuple[Runs, Ints]:
    """The same runs over the rows that some run is in."""
    idle = _idle(runs, len(rows))
    index = np.cumsum(~idle) - 1
    moved = Runs(part=runs.part, key=runs.key, first=index[runs.first], last=index[runs.last])
    return moved, rows[~idle]


def _idle(runs: Runs, rows: int) -> Flags:
    """(rows,) whether a row is in no run."""
    changes = np.bincount(runs.first, minlength=rows + 1) - np.bincount(runs.last + 1, minlength=rows + 1)
    return np.asarray(np.cumsum(changes)[:rows] == 0)


def _cores(runs: Runs, bank_free_after: int) -> Ints:
    """A core for each run, however many there must be; parts follow one another."""
    core = np.empty(len(runs), dtype=np.int64)
    taken = 0
    for part in np.unique(runs.part):
        mine = runs.part == part
        core[mine] = taken + colour(runs.first[mine], runs.last[mine], bank_free_after)
        taken = int(core[mine].max()) + 1
    return core


def _seen_before(positions: Sequence[Ints]) -> list[Flags]:
    """For each pass whether its rows are in one of those before it."""
    seen = np.zeros(0, dtype=np.int64)
    found = []
    for rows in positions:
        found.append(np.isin(rows, seen))
        seen = np.union1d(seen, rows)
    return found


def _residencies(placed: PlacedRuns, target: CoreTarget) -> Residencies:
    runs = placed.runs
    return Residencies(
        key=runs.key,
        core=placed.core,
        first=runs.first,
        last=runs.last,
        loaded=schedule_loads(placed.core, runs.first, runs.last, target),
    )


def _kinds(runs: Runs, core: Ints, kinds: Sequence[str]) -> dict[str, int]:
    """Cores by kind, in the order of the cores."""
    found = dict[str, int]()
    for part in np.unique(runs.part).tolist():
        count = len(np.unique(core[runs.part == part]))
        found[kinds[part]] = found.get(kinds[part], 0) + count
    return found

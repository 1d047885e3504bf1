"""The table of constraints of a standard: CSV, one row for every pair of a preceding and a following command."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping

from hwsim.dram.device.standard import Command, Constraint
from hwsim.dram.standards.expressions import evaluate
from hwsim.errors import DramError, nearest

COLUMNS = ("level", "preceding", "following", "latency")
FURTHER = ("window", "hazard", "siblings")
Key = tuple[str, str, str, int, bool, bool]


def read_constraints(
    file: str,
    text: str,
    commands: Mapping[str, Command],
    params: Mapping[str, int],
    levels: Mapping[str, int],
    *,
    unplayed: Collection[str] = (),
) -> tuple[Constraint, ...]:
    """Expand a table; of equal pairs the longest latency holds.

    Columns: level, preceding, following (names, separated by spaces), latency (an expression); where needed window,
    hazard and siblings (any text stands for yes). A constraint between siblings is left out where a level has only one
    node.

    Parameters
    ----------
    file : name of the table, with which messages begin
    unplayed : commands that the table names and no program can contain; their rows are left out

    Raises
    ------
    DramError : a column that is missing or unknown, an unknown level or command, a latency that names an unknown
        parameter, siblings with a window
    """
    found: dict[Key, int] = {}
    rows = csv.DictReader(io.StringIO(text))
    _check_columns(file, rows.fieldnames or ())
    for row in rows:
        try:
            expanded = list(_expand(row, commands, params, levels, unplayed))
        except DramError as cause:
            raise DramError(f"{file}: line {rows.line_num}: {cause}") from None
        for key, latency in expanded:
            found[key] = max(latency, found.get(key, latency))
    return tuple(
        Constraint(
            level=level,
            preceding=preceding,
            following=following,
            latency=latency,
            window=window,
            hazard=hazard,
            siblings=siblings,
        )
        for (level, preceding, following, window, hazard, siblings), latency in found.items()
        if latency > 0
    )


def _check_columns(file: str, names: Collection[str]) -> None:
    missing = [name for name in COLUMNS if name not in names]
    unknown = [name for name in names if name not in (*COLUMNS, *FURTHER)]
    if missing:
        raise DramError(f"{file}: line 1: needs a column {missing[0]}; found {', '.join(names) or 'nothing'}")
    if unknown:
        raise DramError(f"{file}: line 1: no column {unknown[0]!r}; there are {', '.join((*COLUMNS, *FURTHER))}")


def _expand(
    row: Mapping[str, str],
    commands: Mapping[str, Command],
    params: Mapping[str, int],
    levels: Mapping[str, int],
    unplayed: Collection[str],
) -> Iterator[tuple[Key, int]]:
    """The constraints of one row, by level, commands, window, hazard and siblings."""
    if None in row or None in row.values():
        raise DramError(f"expected as many cells as the first line, found {len([v for v in row.values() if v])}")
    latency = evaluate(row["latency"], params)
    window, hazard, siblings = _window(row.get("window")), bool(row.get("hazard")), bool(row.get("siblings"))
    if row["level"] not in levels:
        raise DramError(f"no level {row['level']!r}; there are {', '.join(levels)}")
    if siblings and window > 1:
        raise DramError(f"a constraint between siblings has no window, found {window}")
    pairs = [(a, b) for a in row["preceding"].split() for b in row["following"].split()]
    for name in (*row["preceding"].split(), *row["following"].split()):
        if name not in commands and name not in unplayed:
            raise DramError(f"no command {name!r}{nearest(name, commands)}")
    if siblings and nodes_of(row["level"], levels) == 1:
        return
    for preceding, following in pairs:
        if preceding in commands and following in commands:
            yield (row["level"], preceding, following, window, hazard, siblings), latency


def _window(text: str | None) -> int:
    if not text:
        return 1
    if not text.isdecimal() or int(text) < 1:
        raise DramError(f"window must be a whole number from 1 on, got {text!r}")
    return int(text)


def nodes_of(level: str, levels: Mapping[str, int]) -> int:
    """Number of nodes of a level in a channel."""
    nodes = 1
    for name, count in levels.items():
        nodes *= count
        if name == level:
            break
    return nodes

"""The table of constraints of a standard: CSV, one row for every pair of a preceding and a following command."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from hwsim.data_file import read_text
from hwsim.dram.device.standard import Command, Constraint
from hwsim.dram.standards.expressions import evaluate
from hwsim.errors import DramError


def read_constraints(
    file: str, commands: Mapping[str, Command], params: Mapping[str, int], levels: Mapping[str, int]
) -> tuple[Constraint, ...]:
    """Expand a table; of equal pairs the longest latency holds.

    Columns: level, preceding, following (names, separated by spaces), latency (an expression); where needed window,
    hazard and siblings (any text stands for yes). A constraint between siblings is left out where a level has only one
    node.

    Raises
    ------
    DramError : a latency that names an unknown parameter, an unknown level, siblings with a window
    """
    found: dict[tuple[str, str, str, int, bool, bool], int] = {}
    for row in csv.DictReader(io.StringIO(read_text("hwsim.dram", f"standards/{file}"))):
        latency = evaluate(row["latency"], params)
        window, hazard, siblings = int(row.get("window") or 1), bool(row.get("hazard")), bool(row.get("siblings"))
        if row["level"] not in levels:
            raise DramError(f"{file}: no level {row['level']!r}; there are {', '.join(levels)}")
        if siblings and window > 1:
            raise DramError(f"{file}: a constraint between siblings has no window, found {window}")
        if siblings and nodes_of(row["level"], levels) == 1:
            continue
        for preceding in row["preceding"].split():
            for following in row["following"].split():
                if preceding not in commands or following not in commands:
                    continue  # the published table names commands that no program can contain (SYNC, EOC)
                key = (row["level"], preceding, following, window, hazard, siblings)
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


def nodes_of(level: str, levels: Mapping[str, int]) -> int:
    """Number of nodes of a level in a channel."""
    nodes = 1
    for name, count in levels.items():
        nodes *= count
        if name == level:
            break
    return nodes

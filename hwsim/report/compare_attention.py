"""Which plans of attention of several reports stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.report.schema import AttentionUse, Report

PLAN_ENDS = ": "  # between a plan and what its figure is called


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """A plan of each report, or None where a report has no such one.

    Attributes
    ----------
    number : counted from 1
    title : what its figures are called by: nothing where there is one plan alone, else the pattern or the number
    """

    number: int
    title: str
    uses: tuple[AttentionUse | None, ...]

    @property
    def alike(self) -> bool:
        """Whether all that are there have the same pattern."""
        return len({use.pattern for use in self.uses if use}) == 1


def plans_side_by_side(reports: Sequence[Report]) -> list[SideBySide]:
    """Plans with the same pattern, queries and keys stand side by side; of the others, the first ones, and so on."""
    rows = _rows(reports)
    patterns = [{use.pattern for use in row.values()} for row in rows]
    found = []
    for number, (row, names) in enumerate(zip(rows, patterns), 1):
        only = len(names) == 1 and patterns.count(names) == 1
        title = "" if len(rows) == 1 else f"{next(iter(names)) if only else number}{PLAN_ENDS}"
        uses = tuple(row.get(column) for column in range(len(reports)))
        found.append(SideBySide(number=number, title=title, uses=uses))
    return found


def _rows(reports: Sequence[Report]) -> list[dict[int, AttentionUse]]:
    """Plans by the number of their report, in the order of the first report that has each."""
    rows: list[dict[int, AttentionUse]] = []
    for column, report in enumerate(reports):
        others = []
        for use in report.attention or ():
            like = (row for row in rows if column not in row and any(_same(use, other) for other in row.values()))
            if (row := next(like, None)) is None:
                others.append(use)
            else:
                row[column] = use
        for use in others:
            free = [row for row in rows if column not in row]
            if not free:
                free = [{}]
                rows += free
            free[0][column] = use
    return rows


def _same(one: AttentionUse, other: AttentionUse) -> bool:
    return (one.pattern, one.queries, one.keys) == (other.pattern, other.queries, other.keys)

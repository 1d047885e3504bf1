"""Which core holds which key for which rows, thinned so that a page can hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_CORES = 24
MOST_HELD = 360  # bars of a figure


@dataclass(frozen=True, kw_only=True)
class Held:
    """A key in a core, for the rows `first` to `last` of a pass, and for all of them.

    Attributes
    ----------
    kind : of the pattern that the core serves
    loaded : row beside which it is loaded; None where that is before the first row
    """

    core: int
    key: int
    kind: str
    first: int
    last: int
    loaded: int | None


@dataclass(frozen=True, kw_only=True)
class CoreMap:
    """A pass of rows through cores: some of the cores, and all that these hold for the first rows.

    Attributes
    ----------
    title : the pattern, and which of its passes this is
    cores, rows : that the pass has
    shown_rows : up to here, everything that the cores in `held` hold is there
    held : in the order of cores and rows
    """

    title: str
    cores: int
    rows: int
    shown_rows: int
    held: tuple[Held, ...]

    @property
    def shown_cores(self) -> list[int]:
        """The cores that are there, in order."""
        return sorted({each.core for each in self.held})


def core_map(title: str, held: Sequence[Held], rows: int) -> CoreMap:
    """A map of at most about `MOST_HELD` bars: cores of every kind, evenly among them, and as many rows as fit."""
    kinds = {each.core: each.kind for each in held}
    chosen = set(_chosen(kinds))
    mine = sorted((each for each in held if each.core in chosen), key=lambda each: (each.first, each.core))
    shown = rows if len(mine) <= MOST_HELD else max(mine[MOST_HELD].first, 1)
    inside = sorted((each for each in mine if each.first < shown), key=lambda each: (each.core, each.first))
    return CoreMap(title=title, cores=len(kinds), rows=rows, shown_rows=shown, held=tuple(inside))


def _chosen(kinds: Mapping[int, str]) -> list[int]:
    """Some of the cores: of each kind as its share is, but one at least."""
    found = []
    for kind in dict.fromkeys(kinds.values()):
        cores = sorted(core for core, its in kinds.items() if its == kind)
        count = min(len(cores), max(1, round(MOST_CORES * len(cores) / len(kinds))))
        found += [cores[i * len(cores) // count] for i in range(count)]
    return found

"""The figures of attention on cores that hold keys, as rows with a value a plan: for terminal, page and comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hwsim.report.quantities import count_text
from hwsim.report.schema import AttentionUse

NOTHING = "\N{EM DASH}"
STREAMS = {"q": "moves of Q", "k": "moves of K", "v": "moves of V", "z": "moves of Z", "carry": "moves of partial rows"}

Getter = Callable[[AttentionUse], float]


@dataclass(frozen=True, kw_only=True)
class AttentionFigure:
    """A figure of some plans of attention, None where one has none.

    Attributes
    ----------
    unit : `cycles`, `%` for a share of 1, `x` for how often, or none for a count
    """

    name: str
    unit: str
    values: tuple[float | None, ...]

    def texts(self) -> list[str]:
        """The values as people read them."""
        return [NOTHING if value is None else attention_text(value, self.unit) for value in self.values]


def attention_figures(uses: Sequence[AttentionUse | None]) -> list[AttentionFigure]:
    """All figures that any of the plans has."""
    return [figure for figure in _all(uses) if any(value is not None for value in figure.values)]


def attention_text(value: float, unit: str) -> str:
    """A value as people read it; the name of its figure says what a count or a time counts."""
    match unit:
        case "%":
            return f"{value:.1%}"
        case "x":
            return f"{value:.3f} x"
        case _:
            return count_text(value)


def attention_notes(uses: Sequence[AttentionUse]) -> Iterator[str]:
    """What the names of figures leave open: how moves are counted, and whether prologues are in the cycles."""
    yield "Moves are how often each element crosses the chip's border" + (
        ", of partial rows over the elements of Z." if any("carry" in use.moved for use in uses) else "."
    )
    for hidden in sorted({use.prologue_hidden for use in uses}):
        yield f"Prologues, which load what a pass needs before its first row, are {PROLOGUES[hidden]}."


# By whether they are hidden.
PROLOGUES = {
    True: "loaded beside the rows before; only those of an operator's first head, and of the first with other keys, "
    "are in no head's cycles",
    False: "between passes, in the cycles of a head",
}


def _all(uses: Sequence[AttentionUse | None]) -> Iterator[AttentionFigure]:
    def figure(name: str, of: Callable[[AttentionUse], float | None], unit: str = "") -> AttentionFigure:
        return AttentionFigure(name=name, unit=unit, values=tuple(None if use is None else of(use) for use in uses))

    for name, of in SIZES.items():
        yield figure(name, of)
    for kind in dict.fromkeys(kind for use in uses if use for kind in use.cores):
        yield figure(f"cores, {kind.replace('_', ' ')}", lambda use, kind=kind: use.cores.get(kind))  # type: ignore[misc]
    for name, of in TIMES.items():
        yield figure(name, of, "cycles")
    for name, of in WORK.items():
        yield figure(name, of)
    yield figure("of the cores' time", lambda use: use.computing, "%")
    changed = [use for use in uses if use and (use.dropped or use.added)]
    if changed:
        yield figure("pairs of the model left out", lambda use: use.dropped)
        yield figure("pairs that the model has not", lambda use: use.added)
    for stream, name in STREAMS.items():
        yield figure(name, lambda use, stream=stream: use.moved.get(stream), "x")  # type: ignore[misc]


SIZES: dict[str, Getter] = {
    "operators": lambda use: use.operators,
    "heads of each": lambda use: use.heads,
    "elements of a head": lambda use: use.head_dim,
    "queries": lambda use: use.queries,
    "keys": lambda use: use.keys,
    "passes": lambda use: use.passes,
    "rows of all passes": lambda use: use.rows,
    "stages": lambda use: use.depth,
}
TIMES: dict[str, Getter] = {
    "cycles of a head": lambda use: use.cycles,
    "cycles from row to row at best": lambda use: use.interval,
    "cycles of prologues": lambda use: use.prologue_cycles,
}
WORK: dict[str, Getter] = {
    "rows of K and V loaded": lambda use: use.loads,
    "most loaded beside a row": lambda use: use.most_loads_a_row,
    "pairs of query and key": lambda use: use.pairs,
}

"""Lines of a grid: a query sees its row, its column, or its place in all frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from hwsim.mapping.errors import PatternError, nearest
from hwsim.mapping.patterns.pattern import at_least
from hwsim.mapping.patterns.tiles import Tile, Tiled, blocks_of

Axis = Literal["rows", "columns", "frames"]


@dataclass(frozen=True, kw_only=True)
class Axial(Tiled):
    """A query sees the tokens that share all coordinates with it but one: N times the length of that line.

    The grid lies row by row, frame after frame.

    Attributes
    ----------
    axis : along what it sees: its row (`width` tokens), its column (`height`), or its place in all `frames`

    Source: Axial Transformer; divided space-time attention for frames.
    """

    kind: ClassVar[str] = "axial"
    height: int
    width: int
    axis: Axis
    frames: int = 1

    def __post_init__(self) -> None:
        at_least(1, self.kind, height=self.height, width=self.width, frames=self.frames)
        if self.axis not in get_args(Axis):
            raise PatternError(f"{self.kind}: no axis {self.axis!r}{nearest(str(self.axis), get_args(Axis))}")

    def sees(self, query: int, key: int, n_k: int) -> bool:
        one, other = self._coordinates(query), self._coordinates(key)
        return all(one[axis] == other[axis] for axis in one if axis != self.axis)

    def _coordinates(self, position: int) -> dict[str, int]:
        """Where a token stands along its row, along its column, and in time."""
        above, x = divmod(position, self.width)
        frame, y = divmod(above, self.height)
        return {"rows": x, "columns": y, "frames": frame}

    def _check_keys(self, n_k: int) -> None:
        tokens = self.frames * self.height * self.width
        if n_k != tokens:
            raise PatternError(f"{self}: its grid is {tokens} tokens, got {n_k}")

    def _tiles(self, queries: range, n_k: int) -> Iterable[Tile]:
        step, length = {
            "rows": (1, self.width),
            "columns": (self.width, self.height),
            "frames": (self.width * self.height, self.frames),
        }[self.axis]
        places = range(step) if len(queries) >= step else sorted({query % step for query in queries})
        for index in blocks_of(queries, step * length):  # parts of the sequence that hold `step` whole lines
            for place in places:
                line = (range(index * step * length + place, (index + 1) * step * length, step),)
                yield Tile(queries=line, keys=line)

    def __str__(self) -> str:
        return self._text(self.height, self.width, self.axis, frames=self.frames)

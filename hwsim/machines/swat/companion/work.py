"""What the companion is told to do: an operator as passes of rows through one of its units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hwsim.machines.swat.companion.streams import Stream

Engine = Literal["matrix", "vector"]


@dataclass(frozen=True, kw_only=True)
class Pass:
    """Rows that go through a unit in tiles.

    Attributes
    ----------
    reads : read for each row; write : what is written
    weight_bytes : that must be on the chip before the first tile
    cycles, last_cycles : of a full tile, and of the last one
    macs : multiply-accumulates that the model asks for
    """

    engine: Engine
    rows: int
    tile_rows: int
    reads: tuple[Stream, ...]
    write: Stream
    weight_bytes: int
    cycles: int
    last_cycles: int
    macs: int = 0

    @property
    def tiles(self) -> int:
        return -(-self.rows // self.tile_rows)

    @property
    def busy_cycles(self) -> int:
        """Cycles of all tiles."""
        return (self.tiles - 1) * self.cycles + self.last_cycles

    def tile_cycles(self, number: int) -> int:
        """Cycles of one tile."""
        return self.cycles if number < self.tiles - 1 else self.last_cycles

    def tile(self, number: int) -> tuple[int, int]:
        """First row and rows of a tile."""
        first = number * self.tile_rows
        return first, min(self.tile_rows, self.rows - first)


@dataclass(frozen=True, kw_only=True)
class CompanionWork:
    """An operator in one step; a view has no passes.

    Attributes
    ----------
    element_ops, special_functions : as the operator counts them
    """

    name: str
    kind: str
    layer: int | None
    passes: tuple[Pass, ...]
    element_ops: int = 0
    special_functions: int = 0

    @property
    def weight_bytes(self) -> int:
        return sum(each.weight_bytes for each in self.passes)

    @property
    def macs(self) -> int:
        return sum(each.macs for each in self.passes)

    def cycles(self, engine: Engine) -> int:
        """Cycles of one unit."""
        return sum(each.busy_cycles for each in self.passes if each.engine == engine)

    def describe(self) -> Iterator[str]:
        """Lines of a dump."""
        for each in self.passes:
            tiles = f"{each.tiles} tiles of {each.tile_rows} rows" if each.tiles > 1 else f"a tile of {each.rows} rows"
            weights = f", weights {each.weight_bytes} B" if each.weight_bytes else ""
            last = f", the last {each.last_cycles}" if each.tiles > 1 and each.last_cycles != each.cycles else ""
            cycles = each.cycles if each.tiles > 1 else each.last_cycles
            yield f"{each.engine} {self.name} ({self.kind}): {tiles} x {cycles} cycles{last}{weights}"

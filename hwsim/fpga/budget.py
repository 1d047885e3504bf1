"""What a design takes of its board's FPGA, each block as synthesis counted it or as its contract estimates it.

The resource model of machines on an FPGA: a machine gives its units and reads what they take and whether they fit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hwsim.errors import UserError
from hwsim.fpga.design import Design
from rtl.boards import BOARDS, Board
from rtl.contract import ContractError
from rtl.synthesis.resources import KINDS, BlockResources, block_resources
from rtl.synthesis.result import DATA_FILE, Cells, RecordError

SCHEMA_VERSION = 1
BRAM36_IN_URAM = 8  # 4,096 x 72 bits as eight of 4,096 x 9
_LEFT = (0, 1, 8)  # columns of names


@dataclass(frozen=True, kw_only=True)
class UnitTaken:
    """What one of `count` instances takes."""

    unit: str
    count: int
    one: BlockResources

    @property
    def cells(self) -> Cells:
        return self.one.cells * self.count


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Units of a design, and what the FPGA of its board has.

    The sum is that of blocks apart: what a design shares among them, and what routing costs, is not in it.
    """

    design: str
    name: str
    board: Board
    units: tuple[UnitTaken, ...]

    @property
    def total(self) -> Cells:
        """Of all units; on a part without UltraRAM each of those becomes the block RAMs that hold as much."""
        total = sum((unit.cells for unit in self.units), Cells())
        if self.board.cells.uram:
            return total
        return replace(total, uram=0, bram36=total.bram36 + BRAM36_IN_URAM * total.uram)

    @property
    def moved_uram(self) -> int:
        """UltraRAMs that became block RAMs."""
        return 0 if self.board.cells.uram else sum(unit.cells.uram for unit in self.units)

    @property
    def lacking(self) -> dict[str, float]:
        """Of each kind that does not suffice, how many more the design takes."""
        over = {kind: getattr(self.total, kind) - getattr(self.board.cells, kind) for kind in KINDS}
        return {kind: count for kind, count in over.items() if count > 0}

    @property
    def fits(self) -> bool:
        return not self.lacking

    def to_json(self) -> str:
        document = {
            "schema_version": SCHEMA_VERSION,
            "design": self.design,
            "board": self.name,
            "part": self.board.part,
            "units": [
                {
                    "unit": unit.unit,
                    "block": unit.one.block,
                    "count": unit.count,
                    "parameters": unit.one.parameters,
                    "one": _counts(unit.one.cells),
                    "all": _counts(unit.cells),
                    "origin": unit.one.origin,
                }
                for unit in self.units
            ],
            "total": _counts(self.total),
            "available": _counts(self.board.cells),
            "uram_as_bram36": self.moved_uram,
            "lacking": self.lacking,
            "fits": self.fits,
        }
        return json.dumps(document, indent=1) + "\n"

    def to_text(self) -> str:
        """A line a unit, the sum, what the part has, and whether it suffices."""
        rows = [["unit", "block", "count", *(kind.upper() for kind in KINDS), "from"], *self._rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [f"{self.design} on {self.board.title} ({self.board.part})"]
        for row in rows:
            cells = [c.ljust(w) if i in _LEFT else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([*lines, *self._notes()]) + "\n"

    def _rows(self) -> Iterator[list[str]]:
        for unit in self.units:
            origin = "synthesis" if unit.one.counted else "estimate"
            yield [unit.unit, unit.one.block, str(unit.count), *_texts(unit.cells), origin]
        yield ["total", "", "", *_texts(self.total), ""]
        yield ["available", "", "", *_texts(self.board.cells), ""]
        yield ["share", "", "", *(self._share(kind) for kind in KINDS), ""]

    def _share(self, kind: str) -> str:
        has = getattr(self.board.cells, kind)
        return f"{getattr(self.total, kind) / has:.1%}" if has else "-"

    def _notes(self) -> Iterator[str]:
        for origin in dict.fromkeys(unit.one.origin for unit in self.units):
            yield f"from {origin}"
        if self.moved_uram:
            yield (
                f"the part has no UltraRAM: {self.moved_uram} counted as {BRAM36_IN_URAM * self.moved_uram} BRAM36, "
                "which hold as much"
            )
        if self.fits:
            yield "fits, as blocks apart; what joins them and routing are not in it"
        else:
            yield "does not fit: lacks " + ", ".join(f"{_text(n)} {kind.upper()}" for kind, n in self.lacking.items())


def budget(design: Design, name: str, path: Path = DATA_FILE) -> Budget:
    """What a design takes of its board.

    Parameters
    ----------
    name : of the design, for the report
    path : the file of kept results

    Raises
    ------
    UserError : a block, preset or parameter that is none; the message names the unit
    """
    taken = []
    for unit_name, unit in design.units.items():
        try:
            one = block_resources(unit.contract(), path)
        except (UserError, ContractError, RecordError) as error:
            raise UserError(f"{name}: {unit_name}: {error}") from None
        taken.append(UnitTaken(unit=unit_name, count=unit.count, one=one))
    return Budget(design=name, name=design.board, board=BOARDS[design.board], units=tuple(taken))


def _counts(cells: Cells) -> dict[str, float]:
    return {kind: getattr(cells, kind) for kind in KINDS}


def _texts(cells: Cells) -> list[str]:
    return [_text(getattr(cells, kind)) for kind in KINDS]


def _text(count: float) -> str:
    return f"{count:,.1f}".removesuffix(".0")

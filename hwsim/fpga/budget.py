"""What a design takes of its board's FPGA, each block as synthesis counted it or as its contract estimates it.

This is the resource model of machines on an FPGA: a machine gives its units and reads their resources and whether they
fit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil
from pathlib import Path

from hwsim.errors import UserError
from hwsim.fpga.inclusion import included_notes
from hwsim.fpga.shortage import cells_text, lacking, misfit_text, shortage_text
from hwsim.rtl.boards import BOARDS, Board
from hwsim.rtl.contract import Contract
from hwsim.rtl.flows.synthesis.resources import KINDS, BlockResources, block_resources
from hwsim.rtl.flows.synthesis.result import DATA_FILE, Cells, RecordError

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class UnitTaken:
    """The resources of equal instances of a block.

    Attributes
    ----------
    moved_uram : UltraRAMs, over all instances, that are replaced by the block RAM that the block takes without
        UltraRAM. A wide memory is spread over several UltraRAMs, so any number of them can be replaced.
    """

    unit: str
    count: int
    one: BlockResources
    moved_uram: int = 0

    @property
    def cells(self) -> Cells:
        with_all, without = self.one.cells * self.count, self.one.cells_without_uram * self.count
        if not self.moved_uram:
            return with_all
        share = Fraction(self.moved_uram, with_all.uram)
        taken = {kind: getattr(with_all, kind) for kind in KINDS}
        more = {kind: ceil((getattr(without, kind) - taken[kind]) * share) for kind in KINDS}
        return replace(with_all, **{kind: taken[kind] + more[kind] for kind in KINDS})


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Units of a design, and what the FPGA of its board has.

    The sum covers the blocks only: logic between blocks and the cost of routing are not included.

    Attributes
    ----------
    title : title of the design
    board_name : the board's name in design files
    included : units of a machine that lie within another unit, and that unit, whose block counts them
    uncounted : units of a machine of which no contract says what they take
    """

    title: str
    board_name: str
    board: Board
    units: tuple[UnitTaken, ...]
    included: Mapping[str, str] = field(default_factory=dict)
    uncounted: tuple[str, ...] = ()

    @property
    def total(self) -> Cells:
        return sum((unit.cells for unit in self.units), Cells())

    @property
    def lacking(self) -> dict[str, float]:
        """For each resource that does not suffice, how many more the design takes."""
        return lacking(_counts(self.total), _counts(self.board.cells))

    @property
    def fits(self) -> bool:
        return not self.lacking

    @property
    def misfit(self) -> str:
        """A line that says what is lacking of what, for a design that does not fit."""
        return misfit_text(self.title, self.board_name, _counts(self.total), _counts(self.board.cells))

    def to_json(self) -> str:
        """Counts of one instance where UltraRAM is available, of all instances, their sum, and the part's counts."""
        document = {
            "schema_version": SCHEMA_VERSION,
            "design": self.title,
            "board": self.board_name,
            "part": self.board.part,
            "units": [
                {
                    "unit": unit.unit,
                    "block": unit.one.block,
                    "count": unit.count,
                    "moved_uram": unit.moved_uram,
                    "parameters": unit.one.parameters,
                    "one": _counts(unit.one.cells),
                    "all": _counts(unit.cells),
                    "origin": unit.one.origin,
                }
                for unit in self.units
            ],
            "included": dict(self.included),
            "uncounted": list(self.uncounted),
            "total": _counts(self.total),
            "available": _counts(self.board.cells),
            "lacking": self.lacking,
            "fits": self.fits,
        }
        return json.dumps(document, indent=1) + "\n"

    def to_text(self) -> str:
        """One line per unit, the sum, what the part has, and whether that suffices."""
        rows = [["unit", "block", "count", *(kind.upper() for kind in KINDS), "from"], *self._rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        names = (0, 1, len(widths) - 1)
        lines = [f"{self.title} on {self.board.title} ({self.board.part})"]
        for row in rows:
            cells = [c.ljust(w) if i in names else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([*lines, *self._notes()]) + "\n"

    def _rows(self) -> Iterator[list[str]]:
        for unit in self.units:
            origin = "synthesis" if unit.one.counted else "estimate"
            if unit.moved_uram:
                origin += f", {unit.moved_uram} UltraRAM as block RAM by estimate"
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
        yield from included_notes(self.included, self.uncounted)
        if self.fits:
            yield "fits, as blocks apart; what joins them and routing are not in it"
            return
        yield f"does not fit: lacks {shortage_text(_counts(self.total), _counts(self.board.cells))}"
        free = self.board.cells.uram - self.total.uram
        if "bram36" in self.lacking and free > 0:
            yield f"memories are in block RAM where Yosys finds that cheaper; {free} UltraRAM are left for some of them"


@dataclass(frozen=True, kw_only=True)
class Instances:
    """Equal instances of a block."""

    contract: Contract
    count: int


def fit_units(units: Mapping[str, Instances], title: str, board_name: str, path: Path = DATA_FILE) -> Budget:
    """Compare the resources of blocks with a board's.

    Where the part has fewer UltraRAMs than Yosys would use, block RAM replaces them as contracts say, beginning where
    the fewest block RAMs are needed.

    Raises
    ------
    UserError : an invalid file of results
    """
    try:
        taken = [
            UnitTaken(unit=name, count=unit.count, one=block_resources(unit.contract, path))
            for name, unit in units.items()
        ]
    except RecordError as error:
        raise UserError(str(error)) from None
    board = BOARDS[board_name]
    return Budget(title=title, board_name=board_name, board=board, units=tuple(_moved(taken, board.cells.uram)))


def _moved(units: list[UnitTaken], has: int) -> Iterator[UnitTaken]:
    """The units in their order, with as many UltraRAMs replaced as the part lacks."""
    over = sum(unit.cells.uram for unit in units) - has
    moved: dict[str, int] = {}
    for unit in sorted((unit for unit in units if unit.cells.uram), key=_block_rams_for_one):
        moved[unit.unit] = min(unit.cells.uram, max(0, over))
        over -= moved[unit.unit]
    for unit in units:
        yield replace(unit, moved_uram=moved.get(unit.unit, 0))


def _block_rams_for_one(unit: UnitTaken) -> float:
    """Block RAMs that replace one UltraRAM of a unit; the unit must have some."""
    return (unit.one.cells_without_uram.bram36 - unit.one.cells.bram36) / unit.one.cells.uram


def _counts(cells: Cells) -> dict[str, float]:
    return {kind: getattr(cells, kind) for kind in KINDS}


def _texts(cells: Cells) -> list[str]:
    return [cells_text(getattr(cells, kind)) for kind in KINDS]

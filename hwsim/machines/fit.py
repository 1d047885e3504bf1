"""What a machine's units take: of its board's FPGA, and of chips that have no budget."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hwsim.engine.unit_spec import UnitKind, UnitSpec
from hwsim.errors import MachineError
from hwsim.fpga.budget import Budget
from hwsim.fpga.units import units_budget
from hwsim.machines.machine import Machine, ProgramT, SpecT
from hwsim.rtl.contract import Resources

SCHEMA_VERSION = 1
COUNTS = ("adders", "multipliers", "sram_bytes")  # what contracts count of a chip
HEADS = ("unit", "on", "block", "count", "adders", "multipliers", "SRAM bytes")


@dataclass(frozen=True, kw_only=True)
class MachineTaken:
    """What the units of a machine, of one device where it has several, take.

    Attributes
    ----------
    units : those on chips without a budget
    budget : of the FPGA, for a machine that has units on one
    """

    machine: str
    units: tuple[UnitSpec, ...]
    budget: Budget | None

    @property
    def fits(self) -> bool | None:
        """Whether the FPGA suffices; None without one."""
        return self.budget.fits if self.budget else None

    def total(self, kind: UnitKind) -> Resources:
        """What all units of a kind take."""
        return sum((unit.resources for unit in self.units if unit.kind == kind), Resources())

    def to_json(self) -> str:
        """The units, sums by where they are, and the FPGA's budget."""
        document: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "machine": self.machine,
            "units": [
                {
                    "unit": unit.name,
                    "kind": unit.kind,
                    "block": unit.contract.block if unit.contract else None,
                    "count": unit.count,
                    "source": unit.source,
                    "proven": unit.proven,
                    **{key: getattr(unit.resources, key) if unit.contract else None for key in COUNTS},
                }
                for unit in self.units
            ],
            "total": {kind: {key: getattr(self.total(kind), key) for key in COUNTS} for kind in self._kinds()},
        }
        if self.budget:
            document["fpga"] = json.loads(self.budget.to_json())
        return json.dumps(document, indent=1) + "\n"

    def to_text(self) -> str:
        """A line a unit, the sums, and the FPGA's budget."""
        rows = [list(HEADS), *(_row(unit) for unit in self.units)]
        rows += [[f"all {kind}", "", "", "", *_counts(self.total(kind))] for kind in self._kinds()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
        lines = [f"{self.machine}: units of a device, on chips without a budget"]
        for row in rows:
            cells = [cell.ljust(w) if i < 3 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))]
            lines.append("  ".join(cells).rstrip())
        text = "\n".join(lines) + "\n" if self.units else ""
        return text + (self.budget.to_text() if self.budget else "")

    def _kinds(self) -> Iterator[UnitKind]:
        """Where there is something to sum up."""
        for kind in dict.fromkeys(unit.kind for unit in self.units):
            if self.total(kind) != Resources():
                yield kind


def fit_machine(machine: Machine[SpecT, Any, Any, Any], spec: SpecT, board: str | None = None) -> MachineTaken:
    """What a machine's units take.

    Parameters
    ----------
    board : another board than the machine's own to set them beside

    Raises
    ------
    MachineError : units on an FPGA of a machine that names no board; another board for a machine without such units
    """
    budget = board_budget(machine, spec, machine.units(spec), board)
    elsewhere = tuple(unit for unit in machine.units(spec) if unit.kind != "fpga")
    return MachineTaken(machine=machine.name, units=elsewhere, budget=budget)


def board_budget(
    machine: Machine[SpecT, Any, Any, Any], spec: SpecT, units: tuple[UnitSpec, ...], board: str | None = None
) -> Budget | None:
    """What a machine's units take of its board's FPGA, or None for a machine that is not built on one.

    Raises
    ------
    MachineError : as `fit_machine`
    """
    own = machine.board(spec)
    if own is None:
        if any(unit.kind == "fpga" for unit in units):
            raise MachineError(f"{machine.name}: has units on an FPGA, but names no board")
        if board is not None:
            raise MachineError(f"--board: {machine.name} has no units on an FPGA")
        return None
    return units_budget(units, machine.name, own if board is None else board)


def require_fit(machine: Machine[SpecT, Any, ProgramT, Any], spec: SpecT, program: ProgramT) -> None:
    """Check that a machine, as it is made for a program, fits its board.

    Raises
    ------
    MachineError : it does not; the line names what is lacking and how much. A machine that is not built on an FPGA
    """
    budget = board_budget(machine, spec, machine.units_for(program, spec))
    if budget is None:
        raise MachineError(f"--strict-fit: {machine.name} is not built on an FPGA, so it cannot lack anything of one")
    if not budget.fits:
        raise MachineError(budget.misfit)


def _row(unit: UnitSpec) -> list[str]:
    block = unit.contract.block if unit.contract else "-"
    counts = _counts(unit.resources) if unit.contract else ["-"] * len(COUNTS)
    return [unit.name, unit.kind, block, f"{unit.count:,}", *counts]


def _counts(resources: Resources) -> list[str]:
    return [f"{getattr(resources, key):,}" for key in COUNTS]

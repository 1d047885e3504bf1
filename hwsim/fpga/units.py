"""What a machine's units take of its board's FPGA: each resource counted once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from hwsim.engine.unit_spec import UnitSpec
from hwsim.errors import MachineError, nearest
from hwsim.fpga.budget import Budget, Instances, fit_units
from hwsim.rtl.boards import BOARDS
from hwsim.rtl.flows.synthesis.result import DATA_FILE


def units_budget(units: Iterable[UnitSpec], title: str, board_name: str, path: Path = DATA_FILE) -> Budget:
    """Compare what the units of kind `fpga` take with what the part of a board has.

    A unit with a contract counts as its block does. One that lies within another is part of that one's block and adds
    nothing. One without a contract cannot be counted, and the budget names it.

    Parameters
    ----------
    title : the machine's name
    path : the file of kept results of synthesis

    Raises
    ------
    MachineError : no such board; a unit within one that is not there, or that no contract counts
    UserError : an invalid file of results
    """
    if board_name not in BOARDS:
        raise MachineError(f"{board_name or '(empty)'}: no such board{nearest(board_name, BOARDS)}")
    on_fpga = {unit.name: unit for unit in units if unit.kind == "fpga"}
    included = {unit.name: _holder(unit, on_fpga, title).name for unit in on_fpga.values() if unit.within}
    return replace(
        fit_units({name: i for name, i in _counted(on_fpga.values())}, title, board_name, path),
        included=included,
        uncounted=tuple(name for name, unit in on_fpga.items() if unit.contract is None and name not in included),
    )


def _counted(units: Iterable[UnitSpec]) -> Iterator[tuple[str, Instances]]:
    """The units that are blocks of their own."""
    for unit in units:
        if unit.contract and not unit.within:
            yield unit.name, Instances(contract=unit.contract, count=unit.count)


def _holder(unit: UnitSpec, on_fpga: dict[str, UnitSpec], title: str) -> UnitSpec:
    """The unit whose contract counts what this one takes."""
    if unit.within not in on_fpga:
        raise MachineError(f"{title}: unit {unit.name} is within {unit.within}, which is no unit on the FPGA")
    holder = on_fpga[unit.within]
    if holder.within or holder.contract is None:
        raise MachineError(
            f"{title}: unit {unit.name} is within {unit.within}, of which no contract says what it takes"
        )
    return holder

"""A user's design for an FPGA: which blocks, how many of each, on which board.

For a machine its units are the design (units.py); a design file is for blocks that no machine puts together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hwsim.errors import UserError, nearest
from hwsim.fpga.budget import Budget, Instances, fit_units
from hwsim.mapping.yaml_file import first_problem, read_mapping
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.boards import BOARDS
from hwsim.rtl.contract import Contract, ContractError
from hwsim.rtl.flows.synthesis.result import DATA_FILE


class Unit(BaseModel):
    """Equal instances of one block.

    Attributes
    ----------
    preset, set : the preset of the block's contract, and parameters that differ from it
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    block: str
    count: int = Field(default=1, ge=1, le=1_000_000, strict=True)
    preset: str = "rtl"
    set: dict[str, Any] = Field(default_factory=dict)

    @field_validator("set")
    @classmethod
    def _are_plain(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        if odd := [name for name, value in parameters.items() if not isinstance(value, str | bool | int | float)]:
            raise ValueError(f"{odd[0]}: expected a number, a text, true or false, got {parameters[odd[0]]!r}")
        return parameters

    def contract(self) -> Contract:
        """The contract of one instance.

        Raises
        ------
        UserError : no such block
        ContractError : a preset, parameter or value that the block cannot have
        """
        if self.block not in BLOCKS:
            raise UserError(f"{self.block}: no such block{nearest(self.block, BLOCKS)}")
        kind: type[Contract] = BLOCKS[self.block].contract
        return kind.from_parameters(self.set, self.preset)


class Design(BaseModel):
    """Units by name, and the board that they are meant for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    board: str
    units: dict[str, Unit]

    @field_validator("units", mode="before")
    @classmethod
    def _are_named(cls, units: Any) -> Any:
        if not isinstance(units, dict) or not units:
            raise ValueError("expected a mapping of at least one unit's name to its block")
        if odd := [name for name in units if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name))]:
            raise ValueError(f"{odd[0]!r}: expected a name of lower-case letters, digits and _")
        if odd := [name for name, unit in units.items() if not isinstance(unit, dict)]:
            raise ValueError(f"{odd[0]}: expected a mapping, for instance {{block: exp}}, got {units[odd[0]]!r}")
        return units


def load_design(path: Path, *, board: str | None = None, settings: Mapping[str, str] | None = None) -> Design:
    """A design from a file, with another board and some of its values replaced.

    Parameters
    ----------
    settings : `UNIT.count` or `UNIT.PARAMETER` to its value as text

    Raises
    ------
    UserError : no such file, board, unit or field; a value out of range
    """
    document = read_mapping(path, UserError)
    try:
        design = Design.model_validate(document)
        units = {name: unit.model_dump() for name, unit in design.units.items()}
        for key, text in (settings or {}).items():
            _replace(units, key, text)
        design = Design.model_validate({"board": design.board if board is None else board, "units": units})
    except ValidationError as cause:
        raise UserError(f"{path}: {first_problem(cause)}") from None
    if design.board not in BOARDS:
        raise UserError(f"{design.board or '(empty)'}: no such board{nearest(design.board, BOARDS)}")
    return design


def fit_design(design: Design, title: str, path: Path = DATA_FILE) -> Budget:
    """Compare the resources of a design with its board's.

    Parameters
    ----------
    path : the file of kept results

    Raises
    ------
    UserError : an unknown block, preset or parameter (the message names the unit), or an invalid file of results
    """
    units = {}
    for name, unit in design.units.items():
        try:
            units[name] = Instances(contract=unit.contract(), count=unit.count)
        except (UserError, ContractError) as error:
            raise UserError(f"{title}: units.{name}: {error}") from None
    return fit_units(units, title, design.board, path)


def _replace(units: dict[str, dict[str, Any]], key: str, text: str) -> None:
    name, dot, parameter = key.partition(".")
    if not dot or not parameter:
        raise UserError(f"--set {key}: expected UNIT.count or UNIT.PARAMETER")
    if name not in units:
        raise UserError(f"--set {key}: no such unit{nearest(name, units)}")
    if parameter == "count":
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise UserError(f"--set {key}: expected a whole number, got {text[:20]!r}")
        units[name]["count"] = int(text)
    else:
        units[name]["set"][parameter] = text

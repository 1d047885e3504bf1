"""A design for an FPGA: which blocks, how many of each, on which board."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from hwsim.errors import UserError, nearest
from mapping.yaml_file import first_problem, read_mapping
from rtl.blocks import BLOCKS
from rtl.boards import BOARDS
from rtl.contract import Contract

_SHIPPED = Path(__file__).parent / "designs"
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Unit(BaseModel):
    """Equal instances of one block.

    Attributes
    ----------
    preset, set : of the block's contract: what it starts from, and parameters that differ
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    block: str
    count: int = Field(default=1, ge=1, le=1_000_000, strict=True)
    preset: str = "rtl"
    set: dict[str, str | bool | int | float] = Field(default_factory=dict)

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
    units: Annotated[dict[_Name, Unit], Field(min_length=1)]


def load_design(source: str, *, board: str | None = None, settings: Mapping[str, str] | None = None) -> Design:
    """A design from a file or by its shipped name, with another board and some of its values replaced.

    Parameters
    ----------
    settings : `UNIT.count` or `UNIT.PARAMETER` to its value as text

    Raises
    ------
    UserError : no such file, name, board, unit or field; a value out of range
    """
    document = read_mapping(_find(source), UserError)
    try:
        design = Design.model_validate(document)
        units = {name: unit.model_dump() for name, unit in design.units.items()}
        for key, text in (settings or {}).items():
            _replace(units, key, text)
        design = Design.model_validate({"board": board or design.board, "units": units})
    except ValidationError as cause:
        raise UserError(f"{source}: {first_problem(cause)}") from None
    if design.board not in BOARDS:
        raise UserError(f"{design.board}: no such board{nearest(design.board, BOARDS)}")
    return design


def _find(source: str) -> Path:
    shipped = {path.stem: path for path in sorted(_SHIPPED.glob("*.yaml"))}
    path = Path(source)
    if source in shipped and not path.is_file():
        return shipped[source]
    if path.suffix not in (".yaml", ".yml") and not path.exists():
        raise UserError(f"{source}: no such file and no shipped design{nearest(source, shipped)}")
    return path


def _replace(units: dict[str, dict[str, Any]], key: str, text: str) -> None:
    name, dot, parameter = key.partition(".")
    if not dot or not parameter:
        raise UserError(f"--set {key}: expected UNIT.count or UNIT.PARAMETER")
    if name not in units:
        raise UserError(f"--set {key}: no such unit{nearest(name, units)}")
    if parameter == "count":
        try:
            units[name]["count"] = int(text)
        except ValueError:
            raise UserError(f"--set {key}: expected a whole number, got {text!r}") from None
    else:
        units[name]["set"][parameter] = text

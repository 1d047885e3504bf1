"""The range of each whole-number parameter of a block, from the message with which its contract refuses a value."""

from __future__ import annotations

import re
from typing import Any

from hwsim.rtl.block import Block
from hwsim.rtl.contract import Contract, ContractError

FAR = -(1 << 62)  # outside every range


def integer_parameters(block: Block[Any]) -> list[str]:
    """Names of the parameters that are whole numbers."""
    preset = block.contract.from_preset("rtl")
    return [name for name in block.parameter_names() if type(getattr(preset, name)) is int]


def stated_range(contract: Contract, name: str) -> tuple[int, int]:
    """Lowest and highest value of a parameter, given the others of `contract`, from the message for a value outside."""
    said = refusal(contract, name, FAR)
    found = re.fullmatch(rf"{contract.block}: {name} must be (-?\d+) to (-?\d+), got {FAR}", said)
    assert found, f"{contract.block}, {name}: {said!r} names no range"
    return int(found[1]), int(found[2])


def refusal(contract: Contract, name: str, value: int) -> str:
    """The contract's error message for another value of one parameter; empty if it accepts the value."""
    own = {p: getattr(contract, p) for p in contract.parameters()}
    try:
        type(contract)(**{**own, name: value})
    except ContractError as error:
        return str(error)
    return ""

"""The machines, by name; each is loaded when it is asked for, so that nobody waits for those that are not used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from hwsim.data_file import read_data

if TYPE_CHECKING:
    from hwsim.machines.machine import Machine

    AnyMachine: TypeAlias = Machine[Any, Any, Any, Any]


def _pim_gpt() -> AnyMachine:
    from hwsim.machines.pim_gpt import MACHINE

    return MACHINE


def _aim() -> AnyMachine:
    from hwsim.machines.aim import MACHINE

    return MACHINE


def _edge_moe() -> AnyMachine:
    from hwsim.machines.edge_moe import MACHINE

    return MACHINE


def _m3vit() -> AnyMachine:
    from hwsim.machines.m3vit import MACHINE

    return MACHINE


def _swat() -> AnyMachine:
    from hwsim.machines.swat import MACHINE

    return MACHINE


# Name to what loads it. A machine lies in the folder of its name.
MACHINES: dict[str, Callable[[], AnyMachine]] = {
    "pim_gpt": _pim_gpt,
    "aim": _aim,
    "m3vit": _m3vit,
    "edge_moe": _edge_moe,
    "swat": _swat,
}


def machine_summary(name: str) -> str:
    """A machine in a few words, for lists; from its data file, without loading it."""
    summary: str = read_data("hwsim.machines", f"{name}/spec.yaml")["summary"]
    return summary

"""The currents that public sources state for a memory: `STANDARD.yaml` in this folder, by device and speed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hwsim.data_file import read_data
from hwsim.dram.standards.document import choose
from hwsim.energy.supply import Supply
from hwsim.errors import EnergyError

SOURCED = ("ddr4", "ddr5", "gddr6", "hbm2", "lpddr4")
ANY = "all"
GRADES = ("S", "T", "A")


@dataclass(frozen=True, kw_only=True)
class FineRefresh:
    """What a refresh of some banks draws.

    Attributes
    ----------
    over, commands : with so many commands in this time, a parameter of the standard's timing, the currents flow all the
        time
    currents : mA of one chip by supply; a supply that is not named draws its share of a refresh of all banks
    """

    command: str
    over: str
    commands: int
    currents: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Currents:
    """The currents of one chip.

    Attributes
    ----------
    supplies : by name
    chips : of one rank
    standby_rho : share of active standby that the first open row causes
    pins : the supply of the pins, whose reads and writes are I/O; None where no source tells them apart
    grade : of the least certain of the figures
    """

    supplies: Mapping[str, Supply]
    chips: int
    standby_rho: float
    pins: str | None
    fine_refresh: FineRefresh | None
    grade: str
    source: str


def find_currents(standard: str, *, bin: str | None = None, device: str | None = None) -> Currents:
    """The currents of a bin and a device of a standard; a preset has those of the standard that it is a preset of.

    Raises
    ------
    DramError : an unknown standard, bin or device
    EnergyError : no source states them
    """
    choice = choose(standard, bin=bin, device=device)
    if choice.source.name not in SOURCED:
        raise EnergyError(f"no sourced currents for {standard}; there are some for {', '.join(SOURCED)}")
    document = read_data("hwsim.dram", f"currents/{choice.source.name}.yaml")
    of_device = _pick(document["devices"], choice.device, standard, "devices")
    of_speed = _pick(of_device["speeds"], _speed(choice.bin), f"{standard} {choice.device}", "speeds")
    fine = of_speed.get("fine_refresh")
    return Currents(
        supplies={name: _supply(entry) for name, entry in of_speed["supplies"].items()},
        chips=of_device["chips"],
        standby_rho=document["standby_rho"]["value"],
        pins=document.get("pins"),
        fine_refresh=None if fine is None else FineRefresh(**fine),
        grade=max(of_speed["grade"], document["standby_rho"]["grade"], key=GRADES.index),
        source=of_speed["source"],
    )


def _speed(bin: str | None) -> str | None:
    """The data rate with which the name of a bin begins."""
    return None if bin is None else re.sub(r"\D.*", "", bin)


def _pick(table: Mapping[str, Any], key: str | None, what: str, kind: str) -> Any:
    if ANY in table:
        return table[ANY]
    if key is None or key not in table:
        raise EnergyError(f"no sourced currents for {what} {key}; of {what} there are {kind} {', '.join(table)}")
    return table[key]


def _supply(entry: Mapping[str, float]) -> Supply:
    return Supply(**{key if key == "volts" else f"{key}_ma": value for key, value in entry.items()})

"""Energy of a played trace: command counts and standby time times an energy table of measured powers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from hwsim.data_file import read_data
from hwsim.dram.device.standard import Standard
from hwsim.energy import EnergyTable
from hwsim.energy.coefficients import Coefficients, Powers

NS = 1e9


@dataclass(frozen=True)
class Part:
    """Energy of one part.

    Attributes
    ----------
    coefficients : the ones in the table that it depends on
    standing : it depends on time, whether or not there is work
    """

    name: str
    picojoules: float
    source: str
    coefficients: tuple[str, ...]
    standing: bool = False


def energy_parts(
    commands: Mapping[str, int],
    *,
    active_cycles: int,
    precharged_cycles: int,
    standard: Standard,
    table: EnergyTable[Coefficients],
    idle_refreshes: float = 0.0,
) -> list[Part]:
    """Energy by part.

    Parameters
    ----------
    commands : issues by name, over all channels
    active_cycles, precharged_cycles : channel cycles with and without an open row
    table : of measured powers
    idle_refreshes : refreshes of a whole channel in addition to those among the commands
    """
    rules: dict[str, dict[str, Any]] = read_data("hwsim.dram.aim", "energy.yaml")
    c = table.coefficients
    assert isinstance(c, Powers), "AiM's commands are charged by measured powers"
    cycle_ns = NS / float(standard.clock_hz)
    parts = []
    for name, rule in rules.items():
        each = prod(getattr(c, factor) for factor in rule["factors"])
        times = sum(n * commands.get(command, 0) for command, n in rule["times"].items())
        what = ", ".join(command for command in rule["times"] if commands.get(command))
        parts.append(Part(name, each * times, f"for each of {what or 'none'}", tuple(rule["factors"])))
    # refreshing one bank takes its share of refreshing all banks
    refreshes = commands.get("REFab", 0) + commands.get("REFpb", 0) / standard.banks + idle_refreshes
    refresh_pj = refreshes * c.refresh_mw * standard.params["nRFC"] * cycle_ns
    source = "power over tRFC, a bank's share where banks take turns"
    parts.append(Part("refresh", refresh_pj, source, ("refresh_mw",), standing=True))
    for name, coefficient, cycles in (
        ("standby_active", "active_standby_mw", active_cycles),
        ("standby_precharged", "precharged_standby_mw", precharged_cycles),
    ):
        power = getattr(c, coefficient)
        parts.append(Part(name, power * cycles * cycle_ns, "power over time", (coefficient,), standing=True))
    return parts

"""Energy of a played trace: command counts and standby time by the table in energy.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.data_file import read_data


def energy_pj(
    commands: Mapping[str, int], *, active_cycles: int, precharged_cycles: int, clock_hz: float
) -> dict[str, float]:
    """Energy in pJ by part.

    Parameters
    ----------
    commands : issues by name, over all channels
    active_cycles, precharged_cycles : channel cycles with and without an open row
    """
    table: dict[str, dict[str, Any]] = read_data("hwsim.aim", "energy.yaml")
    parts = {}
    for name, entry in table.items():
        if name == "standby":
            continue
        each = entry["energy_pj"] if "energy_pj" in entry else entry["power_mw"] * entry["duration_ns"]
        parts[name] = each * sum(times * commands.get(command, 0) for command, times in entry["times"].items())
    cycle_ns = 1e9 / clock_hz
    parts["standby_active"] = table["standby"]["active_mw"] * active_cycles * cycle_ns
    parts["standby_precharged"] = table["standby"]["precharged_mw"] * precharged_cycles * cycle_ns
    return parts

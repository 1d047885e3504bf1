"""Refresh of GDDR6-AiM: off as in the public simulator, all banks at once, or bank by bank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Literal, get_args

from hwsim.dram.device.standard import Constraint, Refresh, Standard
from hwsim.dram.standards.load import load_standard
from hwsim.errors import DramError

RefreshMode = Literal["off", "all_bank", "per_bank"]
MOST_POSTPONED = 64
MOST_ROWS = 1 << 24
MODES: tuple[str, ...] = get_args(RefreshMode)


def load_aim(
    refresh: RefreshMode = "off",
    *,
    timing: Mapping[str, float | Fraction] | None = None,
    rows: int | None = None,
    postponed: int = 0,
) -> Standard:
    """The standard `gddr6_aim` with one of its refresh modes.

    Parameters
    ----------
    postponed : number of refreshes that wait for a later one and are issued together with it

    Raises
    ------
    DramError : timing that leaves no time between refreshes, rows or postponed refreshes out of range
    """
    if rows is not None and not 1 <= rows <= MOST_ROWS:
        raise DramError(f"rows must be 1 to {MOST_ROWS}, got {rows}")
    if not 0 <= postponed <= MOST_POSTPONED:
        raise DramError(f"refresh_postponed must be 0 to {MOST_POSTPONED}, got {postponed}")
    if postponed and refresh == "off":
        raise DramError(f"refresh_postponed is {postponed}, but refresh is off")
    standard = load_standard("gddr6_aim", timing=timing, rows=rows, refresh=refresh == "all_bank")
    if standard.refresh:
        return replace(standard, refresh=replace(standard.refresh, postponed=postponed))
    if refresh == "off":
        return standard
    p = standard.params
    interval = p["nREFI"] * (postponed + 1) // standard.banks
    busy = p["nMODCH"] + p["nRC"] + p["nRP"] + postponed * p["nRREFD"]
    if interval <= busy:
        due = f"{postponed + 1} banks" if postponed else "a bank"
        raise DramError(
            f"standard {standard.name}: refresh of {due} every {interval} cycles leaves no time for work, "
            f"switching the mode, closing rows and refreshing take up to {busy}"
        )
    rule = Refresh(command="REFpb", precharge="PRE", interval=p["nREFI"], turns=standard.banks, postponed=postponed)
    # the table has no constraint between two refreshes; like an activate, the second waits nRREFD
    apart = Constraint(level="channel", preceding="REFpb", following="REFpb", latency=p["nRREFD"])
    return replace(standard, refresh=rule, constraints=(*standard.constraints, apart))

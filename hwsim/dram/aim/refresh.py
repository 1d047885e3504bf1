"""Refresh of GDDR6-AiM: off as in the public simulator, all banks at once, or bank by bank."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from hwsim.dram.device.standard import Constraint, Refresh, Standard
from hwsim.errors import DramError

RefreshMode = Literal["off", "all_bank", "per_bank"]
MOST_POSTPONED = 64
MODES: tuple[str, ...] = get_args(RefreshMode)


def with_refresh(standard: Standard, mode: RefreshMode, postponed: int) -> Standard:
    """The standard with a refresh mode.

    Parameters
    ----------
    standard : with the refresh of all banks that its file states
    postponed : number of refreshes that wait for a later one and are issued together with it

    Raises
    ------
    DramError : postponed refreshes out of range, timing that leaves no time between refreshes
    """
    if not 0 <= postponed <= MOST_POSTPONED:
        raise DramError(f"refresh_postponed must be 0 to {MOST_POSTPONED}, got {postponed}")
    if mode == "off":
        if postponed:
            raise DramError(f"refresh_postponed is {postponed}, but refresh is off")
        return standard.without_refresh()
    if mode == "per_bank":
        return _per_bank(standard, postponed)
    assert standard.refresh is not None
    return replace(standard, refresh=replace(standard.refresh, postponed=postponed))


def _per_bank(standard: Standard, postponed: int) -> Standard:
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

"""Refresh of GDDR6-AiM: off as in the public simulator, all banks at once, or bank by bank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Literal, get_args

from hwsim.dram.standard import Refresh, Standard, load_standard
from hwsim.errors import DramError

RefreshMode = Literal["off", "all_bank", "per_bank"]
MODES: tuple[str, ...] = get_args(RefreshMode)


def load_aim(
    refresh: RefreshMode = "off", *, timing: Mapping[str, float | Fraction] | None = None, rows: int | None = None
) -> Standard:
    """The standard `gddr6_aim` with one of its ways to refresh.

    Raises
    ------
    DramError : timing that leaves no time between refreshes
    """
    standard = load_standard("gddr6_aim", timing=timing, rows=rows, refresh=refresh == "all_bank")
    if refresh != "per_bank":
        return standard
    p = standard.params
    interval, busy = p["nREFI"] // standard.banks, p["nMODCH"] + p["nRC"] + p["nRP"]
    if interval <= busy:
        raise DramError(
            f"standard {standard.name}: refresh of a bank every {interval} cycles leaves no time for work, "
            f"switching the mode and closing a row take up to {busy}"
        )
    rule = Refresh(command="REFpb", precharge="PRE", interval=standard.params["nREFI"], turns=standard.banks)
    return replace(standard, refresh=rule)

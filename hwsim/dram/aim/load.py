"""The DRAM of GDDR6-AiM's channels: a variant of its timing, its organisation and a refresh mode."""

from __future__ import annotations

from collections.abc import Mapping

from hwsim.dram.aim.refresh import RefreshMode, with_refresh
from hwsim.dram.aim.variants import DEFAULT, STANDARD, VARIANTS, Variant
from hwsim.dram.device.standard import Standard
from hwsim.dram.standards.load import load_standard
from hwsim.dram.standards.timing import Time
from hwsim.errors import DramError, nearest

MOST_ROWS = MOST_COLUMNS = 1 << 24


def load_aim(
    refresh: RefreshMode = "off",
    *,
    variant: Variant = DEFAULT,
    timing: Mapping[str, Time] | None = None,
    rows: int | None = None,
    columns: int | None = None,
    postponed: int = 0,
) -> Standard:
    """The standard `gddr6_aim` in one of its variants and refresh modes.

    Parameters
    ----------
    timing : replaces parameters of the variant
    columns : column accesses in a row, 64 in hardware; some public traces count on beyond
    postponed : number of refreshes that wait for a later one and are issued together with it

    Raises
    ------
    DramError : an unknown variant or parameter, timing that leaves no time between refreshes, a size out of range
    """
    if variant not in VARIANTS:
        raise DramError(f"no variant {variant!r} of {STANDARD}{nearest(variant, VARIANTS)}")
    _check_size("rows", rows, MOST_ROWS)
    _check_size("columns", columns, MOST_COLUMNS)
    standard = load_standard(
        STANDARD, bin=variant, timing=timing, rows=rows, columns=columns, refresh=refresh == "all_bank"
    )
    return with_refresh(standard, refresh, postponed)


def _check_size(name: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        raise DramError(f"{name} must be 1 to {most}, got {value}")

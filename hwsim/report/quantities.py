"""Quantities as people read them: `1.234 ms`, `2.50 MiB`, `1 GHz`."""

from __future__ import annotations


def seconds_text(value: float) -> str:
    """A time with a unit that suits it."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(value) >= scale:
            return f"{value / scale:,.3f} {unit}"
    return f"{value / 1e-9:,.1f} ns"


def joules_text(value: float) -> str:
    """An energy with a unit that suits it."""
    for unit, scale in (("J", 1.0), ("mJ", 1e-3), ("uJ", 1e-6), ("nJ", 1e-9)):
        if abs(value) >= scale:
            return f"{value / scale:,.3f} {unit}"
    return f"{value / 1e-12:,.3f} pJ"


def bytes_text(value: float) -> str:
    """A size in binary units."""
    for unit, scale in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= scale:
            return f"{value / scale:,.2f} {unit}"
    return f"{value:,} B"


def hertz_text(value: float) -> str:
    """A frequency."""
    return f"{value / 1e9:g} GHz" if value >= 1e9 else f"{value / 1e6:g} MHz"


def rate_text(value: float, unit: str) -> str:
    """A rate in giga or tera of a unit."""
    return f"{value / 1e12:,.3g} T{unit}" if value >= 1e11 else f"{value / 1e9:,.3g} G{unit}"


def figure_text(value: float, unit: str) -> str:
    """A figure of ours beside a published one, in that one's unit."""
    match unit:
        case "%":
            return f"{value:.2%}"
        case "x":
            return f"{value:,.1f}x" if value >= 10 else f"{value:.2f}x"
        case "ms" | "W" | "J" | "MiB":
            return f"{value:,.3f} {unit}"
        case _:
            return f"{value:,.0f} {unit}".rstrip()


def count_text(value: float) -> str:
    """A count, whole or in tenths."""
    return f"{value:,.1f}".removesuffix(".0")

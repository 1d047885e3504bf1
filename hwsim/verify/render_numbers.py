"""How a verification's numbers are written."""

from __future__ import annotations


def of_text(part: int, whole: int) -> str:
    """A number, and the whole where it is less."""
    return f"{part:,}" if part == whole else f"{part:,} of {whole:,}"


def error_text(value: float | None) -> str:
    """An error in three digits."""
    return "not finite" if value is None else f"{value:.2e}"

"""Runs of SWAT that are made up, and the cells of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.swat_tables import Point

LENGTHS = (512, 4096, 16_384)


def lockstep(tokens: int, *, interval: int = 201, heads: int = 1, **more: Any) -> Point:
    return Point(tokens=tokens, heads=heads, cycles=heads * (tokens + 5) * interval, clock_hz=300e6, **more)


POINTS = [lockstep(tokens) for tokens in LENGTHS]


def cells(lines: Iterator[str]) -> list[list[str]]:
    """The rows of a table below its head."""
    rows = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]

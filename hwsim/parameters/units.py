"""Units of parameters: `clock_hz: Hertz = Field(...)` says what a number counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Unit:
    """The unit of a field, in its annotation; a number without one is a count."""

    symbol: str


Hertz = Annotated[int, Unit("Hz")]
Bytes = Annotated[int, Unit("B")]
Cycles = Annotated[int, Unit("cycles")]
Nanoseconds = Annotated[float, Unit("ns")]
GigabytesPerSecond = Annotated[float, Unit("GB/s")]
GigabitsPerSecond = Annotated[float, Unit("Gb/s")]

"""Timing parameters in cycles of a clock, from nanoseconds, cycles and expressions of each other."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwsim.dram.standards.expressions import evaluate
from hwsim.errors import DramError, nearest

Time = int | float | Fraction | str
MOST_TIME = 10**9  # largest value of a timing parameter, in ns or cycles


@dataclass(frozen=True, kw_only=True)
class Rounding:
    """How nanoseconds become cycles: rounded up, less what a standard forgives.

    A clock period is itself rounded to picoseconds (0.833 ns for 1.2 GHz), so that 15 ns would take 19 cycles of it
    instead of 18. JEDEC's DDR standards define how much above a whole cycle is not counted.

    Attributes
    ----------
    clocks : a part of a clock, as JESD79-4 (DDR4) defines it: 0.025
    share : a part of the time, as JESD79-5 (DDR5) defines it: 0.003
    """

    clocks: Fraction = Fraction(0)
    share: Fraction = Fraction(0)

    def cycles(self, time_ns: Fraction, clock_hz: Fraction) -> int:
        return max(0, math.ceil(time_ns * (1 - self.share) * clock_hz / 10**9 - self.clocks))


def cycles_name(key: str) -> str:
    """The name of a parameter in cycles: `nRCD` for `tRCD_ns`."""
    return "n" + key[1:].removesuffix("_ns") if key.endswith("_ns") else key


def merge_timing(standard: str, values: Mapping[str, Time], changes: Mapping[str, Time]) -> dict[str, Time]:
    """Parameters with some replaced; `nRCD` replaces `tRCD_ns` as well, and the other way round.

    Raises
    ------
    DramError : a parameter that is not there (the message names the nearest)
    """
    places = {cycles_name(key): key for key in values}
    merged = dict(values)
    for key, value in changes.items():
        place = places.get(cycles_name(key))
        if place is None or not re.fullmatch(r"t\w+_ns|n\w+", key):
            raise DramError(f"standard {standard}: no timing parameter {key!r}{nearest(key, values)}")
        if key == place:
            merged[key] = value
        else:
            merged = {key if k == place else k: value if k == place else v for k, v in merged.items()}
    return merged


def timing_in_cycles(
    standard: str, values: Mapping[str, Time], clock_hz: Fraction, rounding: Rounding
) -> dict[str, int]:
    """Each parameter in cycles, by its name in cycles and in the order of `values`.

    Raises
    ------
    DramError : a value out of range, an expression that is wrong, names what is not there or goes round in a circle
    """
    resolved = _Resolution(standard, values, clock_hz, rounding)
    return {name: resolved[name] for name in resolved}


class _Resolution(Mapping[str, int]):
    """The parameters, each worked out when it is first asked for."""

    def __init__(self, standard: str, values: Mapping[str, Time], clock_hz: Fraction, rounding: Rounding) -> None:
        self.standard, self.stated, self.clock_hz, self.rounding = standard, values, clock_hz, rounding
        self.keys_by_name = {cycles_name(key): key for key in values}
        self.known: dict[str, int] = {}
        self.open: list[str] = []  # the parameters being worked out, each needed for the one before it

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys_by_name)

    def __len__(self) -> int:
        return len(self.keys_by_name)

    def __contains__(self, name: object) -> bool:
        return name in self.keys_by_name

    def __getitem__(self, name: str) -> int:
        if name not in self.known:
            if name in self.open:
                circle = " -> ".join([*self.open[self.open.index(name) :], name])
                raise DramError(f"standard {self.standard}: timing goes round in a circle: {circle}")
            self.open.append(name)
            self.known[name] = self._work_out(self.keys_by_name[name])
            self.open.pop()
        return self.known[name]

    def _work_out(self, key: str) -> int:
        if not re.fullmatch(r"t\w+_ns|n\w+", key):
            raise DramError(f"standard {self.standard}: timing parameter {key!r} is neither tX_ns nor nX")
        value = self.stated[key]
        if isinstance(value, str):
            return self._from_text(key, value)
        if isinstance(value, bool) or not isinstance(value, int | float | Fraction) or not 0 <= value <= MOST_TIME:
            raise DramError(f"standard {self.standard}: timing.{key} must be a number from 0 to 1e9, got {value}")
        if key.endswith("_ns"):
            return self._cycles(Fraction(str(value)))
        if value != int(value):
            raise DramError(f"standard {self.standard}: timing.{key} counts cycles and must be whole, got {value!r}")
        return int(value)

    def _from_text(self, key: str, text: str) -> int:
        if key.endswith("_ns"):
            raise DramError(f"standard {self.standard}: timing.{key} must be a number from 0 to 1e9, got {text!r}")
        try:
            cycles = evaluate(text, self, self._cycles)
        except DramError as cause:
            if str(cause).startswith("standard "):
                raise
            raise DramError(f"standard {self.standard}: timing.{key}: {cause}") from None
        if not 0 <= cycles <= MOST_TIME:
            raise DramError(f"standard {self.standard}: timing.{key} must be from 0 to 1e9, got {cycles} for {text!r}")
        return cycles

    def _cycles(self, time_ns: Fraction) -> int:
        return self.rounding.cycles(time_ns, self.clock_hz)

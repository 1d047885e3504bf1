"""One time base: integer ticks that every clock of a machine divides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwsim.errors import MachineError

# Ticks are 64-bit integers in compiled functions: at this rate they last for a minute and a half of simulated time.
MAX_TICKS_PER_SECOND = 10**17


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A clock of `freq_hz` whose period is a whole number of ticks."""

    name: str
    freq_hz: Fraction
    period_ticks: int

    def __str__(self) -> str:
        return f"{self.name} {float(self.freq_hz) / 1e6:.10g} MHz"

    def ticks(self, cycles: int) -> int:
        """Duration of some cycles."""
        return cycles * self.period_ticks

    def edge(self, tick: int) -> int:
        """First cycle that begins at or after `tick`."""
        return -(-tick // self.period_ticks)

    def wait(self, tick: int) -> int:
        """Ticks from `tick` to the next edge, 0 on one."""
        return -tick % self.period_ticks


@dataclass(frozen=True, kw_only=True)
class TimeBase:
    """The clocks of a machine and the tick that they share."""

    ticks_per_second: int
    clocks: Mapping[str, Clock]

    @classmethod
    def of(cls, freqs_hz: Mapping[str, int | Fraction]) -> TimeBase:
        """The coarsest tick that all clocks divide.

        Raises
        ------
        MachineError : a clock that is not positive, or clocks whose common multiple is too large
        """
        exact = {name: Fraction(freq) for name, freq in freqs_hz.items()}
        for name, freq in exact.items():
            if freq <= 0:
                raise MachineError(f"clock {name}: must be positive, got {freq} Hz")
        rate = Fraction(1)
        for freq in exact.values():
            rate = _lcm(rate, freq)
        if rate > MAX_TICKS_PER_SECOND:
            shown = ", ".join(f"{name} {float(freq):g} Hz" for name, freq in exact.items())
            raise MachineError(f"clocks {shown} have no common multiple below {MAX_TICKS_PER_SECOND:g} Hz")
        clocks = {name: Clock(name=name, freq_hz=freq, period_ticks=int(rate / freq)) for name, freq in exact.items()}
        return cls(ticks_per_second=int(rate), clocks=clocks)

    def seconds(self, ticks: int) -> float:
        return ticks / self.ticks_per_second

    def ticks_of_ns(self, ns: float | Fraction) -> int:
        """A duration in ns as ticks, rounded up."""
        return cycles_of_ns(ns, self.ticks_per_second)


def cycles_of_ns(ns: float | Fraction, freq_hz: int | Fraction) -> int:
    """A duration in ns as cycles of a clock, rounded up: hardware waits for the next edge."""
    return math.ceil(Fraction(str(ns)) * Fraction(freq_hz) / 10**9)


def _lcm(a: Fraction, b: Fraction) -> Fraction:
    return Fraction(math.lcm(a.numerator, b.numerator), math.gcd(a.denominator, b.denominator))

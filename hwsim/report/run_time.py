"""The time of a run as its report states it."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.engine.clock import Clock


@dataclass(frozen=True, kw_only=True)
class RunTime:
    """How long a run took, and what its report counts time in.

    Attributes
    ----------
    ticks : from begin to end
    clock : whose cycles the report counts
    """

    ticks: int
    ticks_per_second: int
    clock: Clock

    def seconds(self, ticks: int) -> float:
        """Ticks in seconds."""
        return ticks / self.ticks_per_second

    def cycles(self, ticks: int) -> int:
        """Ticks as cycles of the report's clock, rounded up."""
        return self.clock.edge(ticks)

    def share(self, ticks: int) -> float:
        """Ticks as a share of the run."""
        return ticks / self.ticks

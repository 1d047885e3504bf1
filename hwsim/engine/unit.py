"""A unit of a machine: something with a clock that works for some time."""

from __future__ import annotations

import simpy

from hwsim.engine.clock import Clock
from hwsim.engine.trace import Trace


class Unit:
    """Base of the units; work begins on an edge of the unit's clock and is recorded in the trace.

    Parameters
    ----------
    source : where the unit's timing comes from, shown in reports (`rtl` when proven against our RTL)
    """

    def __init__(self, env: simpy.Environment, name: str, clock: Clock, trace: Trace, *, source: str) -> None:
        self.env = env
        self.name = name
        self.clock = clock
        self.trace = trace
        self.source = source

    def occupy(self, cycles: int, *, kind: str, name: str) -> simpy.Event:
        """Work for some cycles of the unit's clock; the event fires when it is done."""
        now: int = self.env.now  # type: ignore[assignment]  # all delays are integers
        return self.env.timeout(self.book(now, cycles, kind, name) - now)

    def book(self, now: int, cycles: int, kind: str, name: str) -> int:
        """Enter work that begins on the first edge from tick `now` on; return the tick in which it is done.

        For a sequencer that hands over work piece by piece while nothing else can happen: it may wait once for many.
        """
        period = self.clock.period_ticks
        start = now + -now % period
        end = start + cycles * period
        self.trace.record(self.name, kind, name, start, end)
        return end

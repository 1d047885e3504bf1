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
        period = self.clock.period_ticks
        start = now + -now % period
        end = start + cycles * period
        self.trace.record(self.name, kind, name, start, end)
        return self.env.timeout(end - now)

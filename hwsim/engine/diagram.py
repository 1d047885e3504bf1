"""A machine's block diagram: its units and their connections; it runs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import simpy

from hwsim.engine.channel import Channel
from hwsim.engine.clock import TimeBase
from hwsim.engine.port import Steps, StreamEndedError
from hwsim.engine.timeline import Span, Timeline, Track
from hwsim.engine.trace import Trace
from hwsim.errors import WiringError

if TYPE_CHECKING:
    from hwsim.engine.unit import Unit


class Diagram:
    """Units and channels on one time base, with one trace.

    Attributes
    ----------
    clocks : by name
    units : by name, in the order in which they were made
    channels : in the order in which they were connected
    """

    def __init__(self, time_base: TimeBase) -> None:
        self.time_base = time_base
        self.clocks = time_base.clocks
        self.env = simpy.Environment()
        self.trace = Trace()
        self.units: dict[str, Unit] = {}
        self.channels: list[Channel[Any]] = []

    @property
    def now(self) -> int:
        """The current tick."""
        now: int = self.env.now  # type: ignore[assignment]  # all delays are integers
        return now

    def add(self, unit: Unit) -> None:
        """Add a unit; units call this themselves."""
        if unit.name in self.units:
            raise WiringError(f"two units are called {unit.name}")
        self.units[unit.name] = unit

    def run(self, *others: Steps[None]) -> int:
        """Run all units' processes, and `others` with them, to their end; return the tick of the last event.

        Raises
        ------
        WiringError : a port that is not connected; units that wait for each other; items that no unit took
        """
        self.check()
        beside = [self.env.process(other) for other in others]
        for unit in self.units.values():
            self.env.process(self._live(unit))
        self.env.run()
        stuck = [unit for unit in self.units.values() if not unit.ended]
        if stuck or any(process.is_alive for process in beside):
            waits = [wait for unit in stuck for wait in _waits(unit)]
            waits += [f"{process.name} waits" for process in beside if process.is_alive]
            raise WiringError(f"deadlock after tick {self.now}: {'; '.join(waits)}")
        for channel in self.channels:
            if channel.left_over:
                raise WiringError(f"channel {channel.name}: {channel.left_over}")
        return self.now

    def check(self) -> None:
        """Check that every port is connected.

        Raises
        ------
        WiringError : names one that is not
        """
        for unit in self.units.values():
            for port in unit.ports.values():
                if port.peer is None:
                    raise WiringError(f"port {port}: is not connected")

    def dump(self) -> str:
        """Units and their connections as text; equal diagrams give the same text."""
        lines = [*(unit.describe() for unit in self.units.values()), *map(_channel_line, self.channels)]
        return "".join(f"{line}\n" for line in lines)

    def timeline(self, name: str) -> Timeline:
        """What each unit did and waited for over time, as far as the trace keeps it."""
        tracks = tuple(Track(name=unit.name, clock=unit.clock, spans=_spans(unit)) for unit in self.units.values())
        return Timeline(name=name, ticks_per_second=self.time_base.ticks_per_second, tracks=tracks)

    def _live(self, unit: Unit) -> Steps[None]:
        with suppress(StreamEndedError):
            yield from unit.run()
        unit.ended = True
        for port in unit.ports.values():
            port.close()


def _waits(unit: Unit) -> Iterator[str]:
    wishes = [port.wish for port in unit.ports.values() if port.waiting]
    yield from (f"{unit.name} waits for {wish}" for wish in wishes or ["an event that is no port's"])


def _channel_line(channel: Channel[Any]) -> str:
    stages = f" and {channel.stages} stages" if channel.stages else ""
    return f"channel {channel.name}: {f'{channel.depth} banks' if channel.held else f'depth {channel.depth}'}{stages}"


def _spans(unit: Unit) -> tuple[Span, ...]:
    slices = (piece for piece in unit.trace.slices if piece.unit == unit.name)
    return tuple(Span(piece.start, piece.end, piece.name, {"kind": piece.kind}) for piece in slices)

"""Ports: the ends that a unit declares, each connected exactly once; a unit's waits are counted here.

    class Linear(Unit):
        x = In[Tile]()                                    # each unit of the class gets a port of its own
        ...
            tile = yield from self.x.get()                # in its process

    connect(reader.out, linear.x, depth=2)                # in the machine's model.py: a FIFO
    double_buffer(loader.out, linear.weights)             # ping-pong

A unit whose process ends closes its outputs. A process that asks for an item after the last one ends too, unless it
catches `StreamEndedError`. So a process may be a `while True` loop and stops with its stream.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeAlias, TypeVar

import simpy

from hwsim.engine.channel import Channel
from hwsim.engine.trace import Cause, CauseKind
from hwsim.errors import WiringError

if TYPE_CHECKING:
    from hwsim.engine.unit import Unit

T = TypeVar("T")
Steps: TypeAlias = Generator[simpy.Event, Any, T]  # what `yield from` runs, with the type of its result


class StreamEndedError(Exception):
    """The stream of a port has ended: its producer is done and no item is left."""


class Port(ABC):
    """An end of a unit; `bind` makes a unit's own port from the one that its class declares.

    Attributes
    ----------
    cause : why the unit is stalled when it waits here
    waiting : the unit is blocked here until another unit acts
    """

    kind: ClassVar[CauseKind]
    unit: Unit
    name: str
    cause: Cause
    waiting = False

    def bind(self, unit: Unit, name: str) -> Self:
        """A port of this kind that belongs to a unit."""
        port = copy(self)
        port.unit, port.name, port.cause = unit, name, Cause(self.kind, name)
        return port

    def __str__(self) -> str:
        return f"{self.unit.name}.{self.name}"

    @property
    @abstractmethod
    def peer(self) -> str | None:
        """The other end of the connection, None if the port is not connected."""

    @property
    @abstractmethod
    def wish(self) -> str:
        """What the unit waits for at this port, in words."""

    @abstractmethod
    def close(self) -> None:
        """The unit's process has ended: this port sends no more items."""

    def require_free(self, other: str) -> None:
        """Check that the port can be connected to `other`.

        Raises
        ------
        WiringError : it is connected already
        """
        if self.peer is not None:
            raise WiringError(f"port {self}: is connected to {self.peer} already, and cannot be to {other} too")

    def _stand_still(self, event: simpy.Event) -> Steps[None]:
        self.waiting = True
        yield event
        self.waiting = False

    def _go_on(self, asked: int, at: int) -> Steps[None]:
        """Wait for the unit's first edge from tick `at` on; the time since `asked` was a stall."""
        unit = self.unit
        if wait := unit.ticks_to_edge(at):
            yield unit.env.timeout(wait)
        unit.record_stall(self.cause, asked)


class In(Port, Generic[T]):
    """Where items come in."""

    kind = "input"
    source: Out[T]
    _channel: Channel[T] | None = None

    @property
    def peer(self) -> str | None:
        return str(self.source) if self._channel is not None else None

    @property
    def channel(self) -> Channel[T]:
        return _connected(self, self._channel)

    @property
    def wish(self) -> str:
        return f"input at {self} from {self.source.unit.name}{_ended(self.source)}"

    def get(self) -> Steps[T]:
        """Wait for the next item and for an edge of the unit's clock; return the item and free its place.

        Raises
        ------
        StreamEndedError : no more items will come
        """
        if self.channel.held:
            raise WiringError(f"port {self}: a bank is read where it lies; take it, and release it when done")
        item = yield from self.take()
        self.release()
        return item

    def take(self) -> Steps[T]:
        """As `get`, but the item's place stays filled until `release`."""
        unit, channel = self.unit, self.channel
        asked = unit.now
        while (at := channel.next_at()) is None:
            if channel.closed:
                raise StreamEndedError
            yield from self._stand_still(channel.item_bell.listen())
        yield from self._go_on(asked, at)
        return channel.take()

    def close(self) -> None:
        """Items that still arrive are reported at the end of the run."""

    def release(self) -> None:
        """Release the place of the item that was taken longest ago."""
        self.channel.release()


class Out(Port, Generic[T]):
    """Where items go out.

    Attributes
    ----------
    stages : places in the unit itself for items that are on their way to this port; to be set before it is connected
    """

    kind = "output"
    sink: In[T]
    stages = 0
    _channel: Channel[T] | None = None

    @property
    def peer(self) -> str | None:
        return str(self.sink) if self._channel is not None else None

    @property
    def channel(self) -> Channel[T]:
        return _connected(self, self._channel)

    @property
    def wish(self) -> str:
        places = self.channel.places
        return f"room at {self} to {self.sink.unit.name}{_ended(self.sink)} ({places} of {places} places are filled)"

    def close(self) -> None:
        self.channel.close()

    def put(self, item: T) -> Steps[None]:
        """Wait for an empty place and for an edge of the unit's clock, then hand over an item."""
        if self.channel.held:
            raise WiringError(f"port {self}: a bank is claimed before it is filled; claim it, and fill it when done")
        yield from self.claim()
        self.fill(item)

    def claim(self) -> Steps[None]:
        """Wait for an empty place and for an edge of the unit's clock, and reserve the place for a later `fill`."""
        unit, channel = self.unit, self.channel
        asked = unit.now
        while not channel.room:
            yield from self._stand_still(channel.room_bell.listen())
        yield from self._go_on(asked, unit.now)
        channel.claim()

    def fill(self, item: T, *, after: int = 0) -> None:
        """Fill the claimed place with an item that leaves the unit `after` cycles from now."""
        self.channel.fill(item, self.unit.now + self.unit.clock.ticks(after))


def connect(source: Out[T], sink: In[T], *, depth: int) -> Channel[T]:
    """Connect two ports by a FIFO of `depth` places.

    Raises
    ------
    WiringError : a port that is connected already, ports of two diagrams, a depth below 1
    """
    return _join(source, sink, depth=depth, held=False)


def double_buffer(source: Out[T], sink: In[T]) -> Channel[T]:
    """Connect two ports by two banks: the producer fills one while the consumer works on the other and releases it.

    Raises
    ------
    WiringError : a port that is connected already, ports of two diagrams, an output with stages
    """
    if source.stages:
        raise WiringError(f"port {source}: has stages for items on their way, and cannot fill a bank")
    return _join(source, sink, depth=2, held=True)


def _join(source: Out[T], sink: In[T], *, depth: int, held: bool) -> Channel[T]:
    source.require_free(str(sink))
    sink.require_free(str(source))
    diagram = source.unit.diagram
    if sink.unit.diagram is not diagram:
        raise WiringError(f"ports {source} and {sink}: belong to units of two diagrams")
    channel = Channel[T](diagram.env, f"{source} -> {sink}", depth=depth, stages=source.stages, held=held)
    source._channel = sink._channel = channel
    source.sink, sink.source = sink, source
    diagram.channels.append(channel)
    return channel


def _connected(port: Port, channel: Channel[T] | None) -> Channel[T]:
    if channel is None:
        raise WiringError(f"port {port}: is not connected")
    return channel


def _ended(port: Port) -> str:
    return ", which has ended," if port.unit.ended else ""

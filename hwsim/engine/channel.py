"""A bounded first-in first-out channel between two ports."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import simpy

from hwsim.errors import WiringError

T = TypeVar("T")


class Bell:
    """One process waits until another rings; without a listener, a ring costs nothing and is forgotten."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self._event: simpy.Event | None = None

    def listen(self) -> simpy.Event:
        """The event of the next ring; there can be only one listener."""
        self._event = self.env.event()
        return self._event

    def ring(self) -> None:
        if self._event:
            self._event.succeed()
            self._event = None


class Channel(Generic[T]):
    """Places for items on their way from one port to another, in order.

    Each place goes through a cycle: the producer *claims* it while it is empty and *fills* it; the consumer *takes* the
    item and *releases* the place. A FIFO claims at the moment of filling and releases at the moment of taking
    (`Out.put`, `In.get`). A ping-pong buffer has two places, claimed before the producer starts to fill one and
    released when the consumer has read the other: the same channel with `held`.

    A place that is released in a tick can be claimed in the same tick, and an item that is filled in a tick can be
    taken in the same tick. In hardware this is a FIFO of `depth` registers with a combinational path for `ready`, in
    front of a unit that has its own register for the item it works on.

    `simpy.Store` is equal as long as both ends use `put` and `get` on one clock (tests/engine/test_channel.py). This
    is another class because a `Store`
    - hands an item over at once; here an item is taken on an edge of the consumer's clock, and its place stays filled
      until then;
    - has no claiming and holding of places, no items in the producer's stages, and no end of the stream;
    - schedules an event for each `put` and `get`; here there is none if no process waits.

    Attributes
    ----------
    name : "producer.port -> consumer.port"
    depth : places
    stages : additional places, in the producer's own pipeline
    held : the consumer works on items in their place; each place is a bank
    """

    def __init__(self, env: simpy.Environment, name: str, *, depth: int, stages: int = 0, held: bool = False) -> None:
        if depth < 1:
            raise WiringError(f"channel {name}: depth must be at least 1, got {depth}")
        self.env = env
        self.name = name
        self.depth = depth
        self.stages = stages
        self.held = held
        self.closed = False
        self._items: deque[tuple[int, T]] = deque()  # each with the tick from which it is available
        self._claimed = 0  # places that are claimed but not filled
        self._taken = 0  # places whose items are taken but that are not released
        self._filled = 0  # places that are not empty
        self._since = 0  # the tick of the last change
        self._most = 0
        self.item_bell = Bell(env)  # for the consumer: an item is on its way, or the channel is closed
        self.room_bell = Bell(env)  # for the producer: there is an empty place

    @property
    def places(self) -> int:
        return self.depth + self.stages

    @property
    def room(self) -> int:
        """Empty places."""
        return self.places - self._filled

    @property
    def most_filled(self) -> int:
        """The most non-empty places between ticks; a place that is filled and emptied within a tick does not count."""
        return max(self._most, self._filled)

    @property
    def left_over(self) -> str | None:
        """What differs from the state before the run, in words."""
        if self._items:
            return f"{len(self._items)} filled and never taken"
        return f"{self._taken} taken and never released" if self._taken else None

    def claim(self) -> None:
        """Claim an empty place; there must be one."""
        self._change(1)
        self._claimed += 1

    def fill(self, item: T, at: int) -> None:
        """Fill a claimed place with an item that can be taken from tick `at` on."""
        if not self._claimed:
            raise WiringError(f"channel {self.name}: filled without a claim")
        self._claimed -= 1
        self._items.append((at, item))
        self.item_bell.ring()

    def next_at(self) -> int | None:
        """The tick from which the next item is available; None while there is none."""
        return self._items[0][0] if self._items else None

    def take(self) -> T:
        """The next item; its place stays filled."""
        self._taken += 1
        return self._items.popleft()[1]

    def release(self) -> None:
        """Release the place that was taken longest ago."""
        if not self._taken:
            raise WiringError(f"channel {self.name}: released without a take")
        self._taken -= 1
        self._change(-1)
        self.room_bell.ring()

    def close(self) -> None:
        """No more items will come."""
        self.closed = True
        self.item_bell.ring()

    def _change(self, places: int) -> None:
        now = int(self.env.now)
        if now > self._since:
            self._most = max(self._most, self._filled)
            self._since = now
        self._filled += places

"""A bounded ready/valid channel between two units."""

from __future__ import annotations

from collections import deque
from typing import Any

import simpy


class Channel:
    """A first-in first-out channel of `depth` items: `put` waits while it is full, `get` while it is empty.

    Items keep their order, and waiting parties are served in the order in which they came.
    """

    def __init__(self, env: simpy.Environment, depth: int, name: str = "channel") -> None:
        if depth < 1:
            raise ValueError(f"{name}: depth must be at least 1, got {depth}")
        self.env = env
        self.depth = depth
        self.name = name
        self._items: deque[Any] = deque()
        self._putters: deque[tuple[simpy.Event, Any]] = deque()
        self._getters: deque[simpy.Event] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Any) -> simpy.Event:
        """An event that fires when the channel has taken `item`."""
        event = self.env.event()
        self._putters.append((event, item))
        self._settle()
        return event

    def get(self) -> simpy.Event:
        """An event that fires with the oldest item."""
        event = self.env.event()
        self._getters.append(event)
        self._settle()
        return event

    def _settle(self) -> None:
        """Move what can move: items in while there is room, items out while someone waits."""
        moved = True
        while moved:
            moved = False
            if self._putters and len(self._items) < self.depth:
                event, item = self._putters.popleft()
                self._items.append(item)
                event.succeed()
                moved = True
            if self._getters and self._items:
                self._getters.popleft().succeed(self._items.popleft())
                moved = True

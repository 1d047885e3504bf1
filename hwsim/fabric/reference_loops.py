"""Slow and obvious FIFOs and loops, by the rules of docs/fabric.md."""

from __future__ import annotations

from dataclasses import dataclass, field

from hwsim.fabric.task import Give, Loop, Pattern


@dataclass(kw_only=True, eq=False)
class ReferenceFifo:
    """A FIFO; `items` are those at the beginning of the cycle."""

    depth: float
    items: float
    put: int = 0
    taken: int = 0
    waits_for_items: int = 0
    waits_for_room: int = 0

    def has_room(self, amount: int) -> bool:
        return self.items + amount <= self.depth

    def end_cycle(self) -> None:
        self.items += self.put - self.taken
        self.put = self.taken = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Gift:
    """What an iteration gives, and the own time at which it is due."""

    due: int
    give: Give


@dataclass(kw_only=True, eq=False)
class ReferenceLoop:
    """A loop of a task that began in cycle `begun`."""

    loop: Loop
    fifos: dict[str, ReferenceFifo]
    begun: int
    ended: int | None = None
    own: int = 0
    iterations: int = 0  # that have begun
    next_begin: int = 0  # own time at which the interval is over
    gifts: list[_Gift] = field(default_factory=list)
    blocked: str = ""  # what it waits for in this cycle, in words

    def step(self, cycle: int) -> bool:
        """Play a cycle; whether anything happened."""
        self.blocked = ""
        if cycle < self.begun + self.loop.start:
            return True
        due = [gift.give for gift in self.gifts if gift.due == self.own]
        if self._stands_still(due):
            return False
        for give in due:
            self.fifos[give.fifo].put += give.amount
        self.gifts = [gift for gift in self.gifts if gift.due > self.own]
        begins = self.iterations < self.loop.trips and self.own >= self.next_begin and self._finds_all()
        if begins:
            self._begin()
        if self.iterations == self.loop.trips and not self.gifts:
            self.ended = cycle + 1
        self.own += 1
        return begins or bool(due) or bool(self.gifts) or self.own <= self.next_begin or self.ended is not None

    def _stands_still(self, due: list[Give]) -> bool:
        for give in self.loop.gives:
            if give in due and not self.fifos[give.fifo].has_room(give.amount):
                self.fifos[give.fifo].waits_for_room += 1
                self.blocked = f"room in FIFO {give.fifo}"
                return True
        return False

    def _finds_all(self) -> bool:
        for take in self.loop.takes:
            if _holds(take.when, self.iterations) and self.fifos[take.fifo].items < take.amount:
                self.fifos[take.fifo].waits_for_items += 1
                self.blocked = f"items of FIFO {take.fifo}"
                return False
        return True

    def _begin(self) -> None:
        for take in self.loop.takes:
            if _holds(take.when, self.iterations):
                self.fifos[take.fifo].taken += take.amount
        for give in self.loop.gives:
            if _holds(give.when, self.iterations):
                self.gifts.append(_Gift(due=self.own + give.after, give=give))
        self.iterations += 1
        self.next_begin = self.own + self.loop.interval


def _holds(pattern: Pattern, iteration: int) -> bool:
    """Whether a pattern holds for an iteration: one more does than before it."""
    return pattern.count(iteration + 1) > pattern.count(iteration)

"""Units that take an item before the previous one has left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from hwsim.engine.clock import Clock
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import In, Out, Steps
from hwsim.engine.unit import Unit
from hwsim.errors import WiringError
from hwsim.rtl.contract import Contract


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Timing of a pipelined unit, in cycles.

    Attributes
    ----------
    interval : from taking an item to when the next can be taken
    latency : from taking an item to its result
    """

    interval: int
    latency: int

    def __post_init__(self) -> None:
        for name in ("interval", "latency"):
            if getattr(self, name) < 1:
                raise WiringError(f"pace: {name} must be at least 1 cycle, got {getattr(self, name)}")

    @classmethod
    def of(cls, contract: Contract, work: Callable[[int], Any] = int, *, most: int = 64) -> Pace:
        """The pace at which a contract's block takes items.

        A block cannot know what comes later. So the first of several items takes as long as a single item, and each
        further item adds the interval, if that is always the same.

        Parameters
        ----------
        work : number of items in a row -> their work, as the contract counts it
        most : largest number of items for which the contract is asked; more than the queues of its block hold

        Raises
        ------
        WiringError : further items do not take equally long, so there is no single interval
        """
        taken = [contract.cycles(work(items)) for items in range(1, most + 1)]
        interval = taken[1] - taken[0]
        for items, (before, after) in enumerate(pairwise(taken), start=2):
            if after - before != interval:
                steps = f"the second item takes {interval} cycles more, item {items} {after - before}"
                raise WiringError(f"{contract.block}: has no steady pace, {steps}")
        return cls(interval=interval, latency=taken[0])

    @property
    def places(self) -> int:
        """Items inside the unit when they come as fast as possible."""
        return -(-self.latency // self.interval)


class Pipeline(Unit):
    """Takes at most one item every `interval` cycles; its result is ready `latency` cycles later.

    While its output is blocked, it continues to take items until all places are full: items close up, as in a pipeline
    in which each stage moves when the next one is free. (The pipelines in `rtl/` stop as a whole, so that gaps between
    items remain. Both behave the same as long as the output is not blocked, or items come without gaps.)

    A unit whose results differ from its items overrides `result`.
    """

    x = In[Any]()
    y = Out[Any]()

    def __init__(
        self,
        diagram: Diagram,
        name: str,
        clock: Clock,
        *,
        source: str,
        pace: Pace,
        contract: Contract | None = None,
        copies: int = 1,
    ) -> None:
        super().__init__(diagram, name, clock, source=source, contract=contract, copies=copies)
        self.pace = pace
        self.y.stages = pace.places

    @classmethod
    def of(cls, contract: Contract, diagram: Diagram, name: str, clock: Clock, *, copies: int = 1) -> Self:
        """A pipeline with the timing of a contract that counts its work in items."""
        pace = Pace.of(contract)
        return cls(diagram, name, clock, source=contract.source, pace=pace, contract=contract, copies=copies)

    def run(self) -> Steps[None]:
        while True:
            yield from self.y.claim()
            item = yield from self.x.get()
            self.y.fill(self.result(item), after=self.pace.latency)
            yield from self.occupy(self.pace.interval, kind=self.name, name=str(item))

    def result(self, item: Any) -> Any:
        """The result for an item."""
        return item

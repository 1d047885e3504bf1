"""Units that take an item before the one before has left."""

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
    """How a pipelined unit streams, in cycles.

    Attributes
    ----------
    interval : from an item to the next that can be taken
    latency : from the taking of an item to its result
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

        A block knows nothing of what comes later. So the first of some items takes as long as one alone, and each
        further one the interval, if that is always the same.

        Parameters
        ----------
        work : number of items in a row -> the work that they are, as the contract counts it
        most : up to which number of items the contract is asked; more than its block has queues for

        Raises
        ------
        WiringError : further items do not take equally long, so that there is no pace
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
        """Items that are inside while they come as fast as they can."""
        return -(-self.latency // self.interval)


class Pipeline(Unit):
    """Takes an item every `interval` cycles at most; its result is there `latency` cycles later.

    While its output is held, it goes on taking items until all places are full: items close up, as in a pipeline each
    of whose stages moves when the next one is free. (Ours in `rtl/` stop as a whole, so that gaps between items stay:
    the same as long as the output is not held, or items come without gaps.)

    A unit whose results are not its items overrides `result`.
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
        """A pipeline at the pace of a contract that counts its work in items."""
        pace = Pace.of(contract)
        return cls(diagram, name, clock, source=contract.source, pace=pace, contract=contract, copies=copies)

    def run(self) -> Steps[None]:
        while True:
            yield from self.y.claim()
            item = yield from self.x.get()
            self.y.fill(self.result(item), after=self.pace.latency)
            yield from self.occupy(self.pace.interval, kind=self.name, name=str(item))

    def result(self, item: Any) -> Any:
        """What becomes of an item."""
        return item

"""The buffer of weights: what a pass needs is loaded while another one runs, if there is room beside its own."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.machines.swat.companion.chain import BurstChain
from hwsim.machines.swat.companion.streams import Layout, one_after_the_other


@dataclass(frozen=True, kw_only=True)
class Need:
    """Weights of one pass: that of a number, of an operator."""

    operator: str
    number: int
    size_bytes: int


class WeightBuffer:
    """Weights of the pass that runs, and of one to come.

    Attributes
    ----------
    held_most : bytes that were taken up at most
    """

    def __init__(self, size_bytes: int, chain: BurstChain, layout: Layout) -> None:
        self.size_bytes = size_bytes
        self.chain = chain
        self.layout = layout
        self.held_most = 0
        self._held = 0  # by the pass that runs
        self._early: tuple[Need, int] | None = None  # weights to come, and from when on they are there

    def begin(self, need: Need, tick: int) -> int:
        """A pass begins at a tick: from when on its weights are there; they are loaded now unless they were before."""
        there = tick
        if self._early and self._early[0] == need:
            there = max(tick, self._early[1])
            self._early = None
        elif need.size_bytes:
            self._early = None  # what came early for another pass gives way
            there = self._load(need, tick)
        self._held = need.size_bytes
        self._note()
        return there

    def prefetch(self, need: Need | None, tick: int) -> None:
        """Load weights of a pass to come, from a tick on, if there is room for them beside those in use."""
        if need is None or self._early or need.size_bytes + self._held > self.size_bytes:
            return
        self._early = need, self._load(need, tick)
        self._note()

    def end(self) -> None:
        """The pass that runs has no more use for its weights."""
        self._held = 0

    def _load(self, need: Need, tick: int) -> int:
        return self.chain.move(tick, one_after_the_other(need.size_bytes, self.layout), write=False)

    def _note(self) -> None:
        early = self._early[0].size_bytes if self._early else 0
        self.held_most = max(self.held_most, self._held + early)

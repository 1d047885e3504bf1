"""Properties of layer norm's queue, which has no full flag."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amaranth import Module, Mux, Signal, Value
from amaranth.hdl import Assert, Assume
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hwsim.rtl.layernorm.component import LayerNorm


class QueueProperties(wiring.Component):
    """A whole layer norm with free inputs, and a model of the places of its beats: their numbers, no values.

    Proven in two steps (`step`); the second assumes what the first proves:

    - "flow": the first stage offers a token exactly when the model says that its last beat is due; the second stage
      begins to read exactly when it takes one.
    - "level": the queue never holds more than `capacity` beats and is never read when empty. A beat in the queue is
      also in the first stage, or has passed it while its token's last beat has not, or belongs to the token that the
      second stage reads.

    "overflow" asserts only the limit and assumes nothing, for a search.
    """

    def __init__(self, block: LayerNorm, capacity: int, step: str) -> None:
        self.block = block
        self.beats = block.contract.beats
        self.capacity = capacity
        self.step = step
        streams = block.signature.members
        super().__init__({"x": streams["x"], "norm": streams["norm"], "ready": In(1)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.block = block = self.block
        wiring.connect(m, wiring.flipped(self.x), block.x)
        wiring.connect(m, wiring.flipped(self.norm), block.norm)
        m.d.comb += block.y.ready.eq(self.ready)

        came, take, token = block.x.valid & block.x.ready, block.affine.take, block.statistics.token
        first, *under_way = self._first_stage(m, came)
        leaves = under_way[-1]
        passed, left = Signal(range(self.beats)), Signal(range(self.beats))
        with m.If(block.x.ready & leaves.valid):
            m.d.sync += passed.eq(self._after(leaves.number))
        with m.If(take):
            m.d.sync += left.eq(Mux(left == 0, self.beats - 1, left - 1))
        level = Signal(range(self.capacity + 2))
        m.d.sync += level.eq(level + came - take)
        flow = [
            token.valid == (leaves.valid & (leaves.number == self.beats - 1)),
            (token.valid & token.ready) == (take & (left == 0)),
        ]
        bounds = [level <= self.capacity, ~take | (level != 0)]
        match self.step:
            case "flow":
                m.d.comb += [Assert(statement) for statement in flow]
            case "level":
                m.d.comb += [Assume(statement) for statement in flow]
                m.d.comb += [Assert(statement) for statement in bounds]
                ahead: Value = passed
                for place in reversed(under_way):
                    m.d.comb += Assert(~place.valid | (place.number == ahead % self.beats))
                    ahead = ahead + place.valid
                m.d.comb += [Assert(first.number == ahead % self.beats), Assert(level == ahead + left)]
                m.d.comb += [Assert(count < self.beats) for count in (passed, left)]
            case "overflow":
                m.d.comb += [Assert(statement) for statement in bounds]
        return m

    def _first_stage(self, m: Module, came: Value) -> list[SimpleNamespace]:
        """Whether there is a beat, and its number within its token: at the input, then in each register."""
        number = Signal(range(self.beats))
        with m.If(came):
            m.d.sync += number.eq(self._after(number))
        places = [SimpleNamespace(valid=came, number=number)]
        for i in range(self.block.contract.statistics_latency):
            before = places[-1]
            here = SimpleNamespace(
                valid=Signal(name=f"valid_{i}"), number=Signal(range(self.beats), name=f"number_{i}")
            )
            with m.If(self.block.x.ready):  # the first stage advances or waits as a whole
                m.d.sync += [here.valid.eq(before.valid), here.number.eq(before.number)]
            places.append(here)
        return places

    def _after(self, number: Value) -> Value:
        return Mux(number == self.beats - 1, 0, number + 1)

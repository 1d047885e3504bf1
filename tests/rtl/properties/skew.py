"""Properties of the walk in the skewed order."""

from __future__ import annotations

from typing import Any

from amaranth import Const, Module, Mux, Signal, Value
from amaranth.hdl import Assert
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hwsim.rtl.stream_blocks.skew import SkewWalk


class SkewProperties(wiring.Component):
    """A walk with free inputs, and the age in rows of each slot's query.

    Asserted: a row refills at most one slot; queries come slot by slot in turn, to slot o in a row of key o; a slot
    holds its query for as many rows as there are keys, so that the query sees each key exactly once, and then takes the
    next at once if there is one; the walk ends exactly when all queries have come and left.
    """

    def __init__(self, walk: SkewWalk) -> None:
        self.walk = walk
        super().__init__({"start": In(1), "tokens": In(walk.tokens.shape()), "step": In(1)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.walk = walk = self.walk
        m.d.comb += [walk.start.eq(self.start), walk.tokens.eq(self.tokens), walk.step.eq(self.step)]
        starts, steps = ~walk.running & self.start & (self.tokens != 0), walk.running & self.step
        tokens, key, came = (Signal.like(self.tokens, name=name) for name in ("tokens_now", "key_now", "came"))
        turn = Signal(range(walk.slots))  # the slot that gets the next query
        ages = [Signal.like(self.tokens, name=f"age_{slot}") for slot in range(walk.slots)]  # 0: none
        with m.If(starts):
            m.d.sync += [tokens.eq(self.tokens), key.eq(0), came.eq(0), turn.eq(0)]
        with m.If(steps):
            m.d.sync += key.eq(Mux(key == tokens - 1, 0, key + 1))
            with m.If(walk.refill.any()):
                m.d.sync += [came.eq(came + 1), turn.eq(Mux(turn == walk.slots - 1, 0, turn + 1))]

        empty: Value = Const(1)
        for slot, age in enumerate(ages):
            refilled, held, leaves = walk.refill[slot], walk.mask[slot], walk.leaves[slot]
            rows = Mux(refilled, 1, age + 1)  # rows that the query has seen, including this one
            with m.If(steps):
                m.d.sync += age.eq(Mux(held & ~leaves, rows, 0))
            empty &= age == 0
            m.d.comb += [
                Assert(~walk.running | ~refilled | ((key == slot) & (turn == slot) & (age == 0) & (came != tokens))),
                Assert(~walk.running | (held == (refilled | (age != 0)))),
                Assert(~walk.running | (leaves == (held & (rows == tokens)))),
                Assert(~walk.running | (key != slot) | (came == tokens) | refilled),
            ]
        m.d.comb += Assert(walk.running == ((came != tokens) | ~empty))
        return m

"""The skewed order of `hwsim.rtl.skew`, walked row by row without a multiplication or a division."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class SkewWalk(wiring.Component):
    """For the present row: which slots hold a query, which slot is refilled, and which slot's query leaves.

    `start` takes `tokens` while nothing is `running`; `step` moves to the next row and, after the last row, stops.
    Slots are numbered by the bits of `refill`, `mask` and `leaves`, of which the first and the last are one-hot or 0.
    """

    def __init__(self, slots: int, max_tokens: int) -> None:
        self.slots = slots
        super().__init__(
            {
                "start": In(1),
                "tokens": In(range(max_tokens + 1)),
                "step": In(1),
                "running": Out(1),
                "refill": Out(slots),
                "mask": Out(slots),
                "leaves": Out(slots),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        tokens, key, fetched = (Signal.like(self.tokens, name=name) for name in ("count", "key", "fetched"))
        occupied = Signal(self.slots)
        next_key, now_fetched = Signal.like(self.tokens), Signal.like(self.tokens)
        here = [key == slot for slot in range(self.slots)]
        m.d.comb += [
            next_key.eq(Mux(key + 1 == tokens, 0, key + 1)),
            now_fetched.eq(fetched + self.refill.any()),
        ]
        for slot in range(self.slots):
            m.d.comb += [
                self.refill[slot].eq(here[slot] & (fetched != tokens)),
                # a slot to be refilled when no query is left becomes empty
                self.mask[slot].eq(Mux(here[slot], fetched != tokens, occupied[slot])),
                self.leaves[slot].eq(self.mask[slot] & (next_key == slot)),
            ]
        with m.If(~self.running):
            m.d.sync += [
                tokens.eq(self.tokens),
                key.eq(0),
                fetched.eq(0),
                occupied.eq(0),
                self.running.eq(self.start & (self.tokens != 0)),
            ]
        with m.Elif(self.step):
            m.d.sync += [key.eq(next_key), fetched.eq(now_fetched), occupied.eq(self.mask)]
            # the last query was fetched, is the only one left, and leaves
            with m.If((now_fetched == tokens) & (self.mask == self.leaves)):
                m.d.sync += self.running.eq(0)
        return m

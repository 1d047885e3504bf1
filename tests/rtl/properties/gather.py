"""Properties of beats gathered into words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.hdl import Assert
from amaranth.lib import wiring
from amaranth.lib.wiring import In


class GatherProperties(wiring.Component):
    """A gatherer (`gather`) with free beats, some of which count.

    Asserted: every `beats`-th beat that counts is the last of a word, and the word then has all of them in order.
    """

    def __init__(self, gather: Callable[..., tuple[Value, Value]], beats: int) -> None:
        self.gather = gather
        self.beats = beats
        super().__init__({"beat": In(2), "valid": In(1)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        closes, word = self.gather(m, "beats", self.beat, self.beats, self.valid)
        complete, expected = collect(m, self.beat, self.beats, self.valid)
        m.d.comb += [
            Assert(~self.valid | (closes == complete)),
            Assert(~complete | (word == expected)),
        ]
        return m


def collect(m: Module, beat: Value, beats: int, valid: Value) -> tuple[Value, Value]:
    """Whether a word is complete with this beat, and the word: a model that puts each beat at its place."""
    number = Signal(range(beats + 1))
    kept = [Signal.like(beat, name=f"kept_{i}") for i in range(beats - 1)]
    with m.If(valid):
        m.d.sync += number.eq(Mux(number == beats - 1, 0, number + 1))
        for i, place in enumerate(kept):
            with m.If(number == i):
                m.d.sync += place.eq(beat)
    return valid & (number == beats - 1), Cat(*kept, beat)

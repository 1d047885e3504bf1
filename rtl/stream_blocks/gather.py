"""Several beats as one word."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, Value


def gather(m: Module, name: str, beat: Value, beats: int, valid: Value) -> tuple[Value, Value]:
    """Whether `beat` is the last of its word, and the word: `beats` beats, the first in the lowest bits.

    The last beat needs no register: it completes the word when it arrives. `valid` says that the beat counts.
    """
    if beats == 1:
        return Const(1), beat
    earlier = Signal(len(beat) * (beats - 1), name=f"{name}_earlier", reset_less=True)
    number = Signal(range(beats), name=f"{name}_number")
    closes = number == beats - 1
    with m.If(valid):
        m.d.sync += [number.eq(Mux(closes, 0, number + 1)), earlier.eq(Cat(earlier, beat) >> len(beat))]
    return closes, Cat(earlier, beat)

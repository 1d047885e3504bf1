"""A ping-pong buffer: one bank is filled from a stream while the other is read at any address."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Mux, Shape, ShapeLike, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


class DoubleBuffer(wiring.Component):
    """Two banks of `depth` words in one memory; groups of words arrive by a stream and are read in that order.

    A group of 1 to `depth` words ends with `last`; its i-th word lies at address i. It is then *loaded*, and its bank
    belongs to the reader, which reads it at any address as often as needed until `release`. The bank is then empty and
    may be filled again, and the reader moves to the other bank. A bank is written only while it is not loaded, and read
    only while it is loaded.

    Members
    -------
    load : stream of `word` and `last`; not ready while both banks are loaded
    loaded : there is a group to read, from the cycle after its last word on
    enable, address : read the word at this address of the group; only while `loaded`
    word : the word read, from the cycle after `enable` to the next `enable`
    release : the reader is done with the group (a read in the same cycle still counts); only while `loaded`
    filling, reading : the bank (0 or 1) that the stream fills next, and the bank that is read next; used in proofs
    """

    BANKS = 2

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self.shape = shape
        self.depth = depth
        super().__init__(
            {
                "load": In(stream.Signature(data.StructLayout({"word": shape, "last": 1}))),
                "loaded": Out(1),
                "enable": In(1),
                "address": In(range(max(depth, 2))),
                "word": Out(shape),
                "release": In(1),
                "filling": Out(1),
                "reading": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        full, fills, frees = Signal(self.BANKS), Signal(self.BANKS), Signal(self.BANKS)  # one bit per bank
        row = Signal(range(self.depth))  # in the bank being filled
        m.submodules.memory = memory = Memory(shape=Shape.cast(self.shape), depth=self.BANKS * self.depth, init=[])
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            self.load.ready.eq(~Mux(self.filling, full[1], full[0])),
            write.en.eq(self.load.valid & self.load.ready),
            write.addr.eq(self._place(self.filling, row)),
            write.data.eq(self.load.payload.word),
            self.loaded.eq(Mux(self.reading, full[1], full[0])),
            read.en.eq(self.enable),
            read.addr.eq(self._place(self.reading, self.address)),
            self.word.eq(read.data),
        ]
        with m.If(write.en):
            m.d.sync += row.eq(row + 1)
            with m.If(self.load.payload.last):
                m.d.comb += fills.eq(Cat(~self.filling, self.filling))
                m.d.sync += [row.eq(0), self.filling.eq(~self.filling)]
        with m.If(self.release):
            m.d.comb += frees.eq(Cat(~self.reading, self.reading))
            m.d.sync += self.reading.eq(~self.reading)
        m.d.sync += full.eq((full | fills) & ~frees)
        return m

    def _place(self, bank: Any, row: Any) -> Any:
        """The memory's address of a row of a bank; no rows are wasted if `depth` is not a power of two."""
        return Mux(bank, row + self.depth, row)

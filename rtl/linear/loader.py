"""Rows into words, words into a double buffer."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.stream_blocks.double_buffer import DoubleBuffer


class GroupLoader(wiring.Component):
    """A double buffer whose words come in `rows` beats of `row_bits` each, the first lowest.

    Members are those of `DoubleBuffer`, but for `load`: its beats are called `row`, and `last` comes with the last
    row of the last word.
    """

    def __init__(self, row_bits: int, rows: int, depth: int) -> None:
        self.row_bits = row_bits
        self.rows = rows
        self.depth = depth
        super().__init__(
            {
                "load": In(stream.Signature(data.StructLayout({"row": row_bits, "last": 1}))),
                "loaded": Out(1),
                "enable": In(1),
                "address": In(range(max(depth, 2))),
                "word": Out(row_bits * rows),
                "release": In(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.banks = banks = DoubleBuffer(self.row_bits * self.rows, self.depth)
        row, beat = self.load.payload.row, banks.load.payload
        m.d.comb += [
            self.load.ready.eq(banks.load.ready),
            banks.load.valid.eq(self.load.valid),
            beat.word.eq(row),
            beat.last.eq(self.load.payload.last),
            self.loaded.eq(banks.loaded),
            banks.enable.eq(self.enable),
            banks.address.eq(self.address),
            self.word.eq(banks.word),
            banks.release.eq(self.release),
        ]
        if self.rows > 1:
            # the last row needs no register: it completes the word as it comes
            earlier, number = Signal(self.row_bits * (self.rows - 1), reset_less=True), Signal(range(self.rows))
            complete = number == self.rows - 1
            m.d.comb += [banks.load.valid.eq(self.load.valid & complete), beat.word.eq(Cat(earlier, row))]
            with m.If(self.load.valid & self.load.ready):
                m.d.sync += number.eq(number + 1)
                with m.If(complete):
                    m.d.sync += number.eq(0)
                with m.Else():
                    m.d.sync += earlier.eq(Cat(earlier, row) >> self.row_bits)
        return m

"""Rows into words, words into a double buffer."""

from __future__ import annotations

from typing import Any

from amaranth import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.stream_blocks.double_buffer import DoubleBuffer
from hwsim.rtl.stream_blocks.gather import gather


class GroupLoader(wiring.Component):
    """A double buffer whose words come in `rows` beats of `row_bits` each, lowest bits first.

    Members are those of `DoubleBuffer`, except that the beats of `load` are called `row`, and `last` comes with the
    last row of the last word.
    """

    def __init__(self, row_bits: int, rows: int, depth: int) -> None:
        self.row_bits = row_bits
        self.rows = rows
        self.depth = depth
        self.banks = DoubleBuffer(row_bits * rows, depth)
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
        m.submodules.banks = banks = self.banks
        taken = self.load.valid & self.load.ready
        complete, word = gather(m, "rows", self.load.payload.row, self.rows, taken)
        m.d.comb += [
            self.load.ready.eq(banks.load.ready),
            banks.load.valid.eq(self.load.valid & complete),
            banks.load.payload.word.eq(word),
            banks.load.payload.last.eq(self.load.payload.last),
            self.loaded.eq(banks.loaded),
            banks.enable.eq(self.enable),
            banks.address.eq(self.address),
            self.word.eq(banks.word),
            banks.release.eq(self.release),
        ]
        return m

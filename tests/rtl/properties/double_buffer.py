"""Properties of double buffers."""

from __future__ import annotations

from typing import Any

from amaranth import Array, Module, Signal, Value
from amaranth.hdl import Assert, Assume
from amaranth.lib import wiring

from hwsim.rtl.linear.loader import GroupLoader
from hwsim.rtl.stream_blocks.double_buffer import DoubleBuffer
from tests.rtl.properties.gather import collect


class DoubleBufferProperties(wiring.Component):
    """A double buffer with free inputs, and two groups of words in order of arrival as its model.

    Asserted: the bank that the reader has is never written; a group is offered as soon as it is complete and until it
    is released; beats are taken exactly while a bank is free; a read gives the word at that place of the oldest group,
    until the next read. So no beat is lost, doubled, changed or reordered.

    Assumed, as the buffer requires of its users: they read and release only loaded groups, and end a group with the
    last row at the latest.
    """

    def __init__(self, buffer: Any) -> None:
        self.buffer = buffer
        self.banks = buffer
        super().__init__(buffer.signature)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.buffer = b = self.buffer
        wiring.connect(m, wiring.flipped(self), b)
        came = b.load.valid & b.load.ready
        arrives, word = self.collect(m, came)
        depth = b.depth
        count = range(depth + 1)
        groups, row = Signal(range(DoubleBuffer.BANKS + 2)), Signal(range(depth))  # complete groups; rows of the next
        words = [Array(Signal(self.banks.shape, name=f"word_{g}_{i}") for i in range(depth)) for g in range(3)]
        lengths = Array(Signal(count, name=f"length_{g}") for g in range(3))

        place = groups - b.release  # of the arriving group, once a released group has left
        completes = arrives & b.load.payload.last
        m.d.sync += groups.eq(place + completes)
        with m.If(b.release):
            for group in range(2):
                m.d.sync += [here.eq(after) for here, after in zip(words[group], words[group + 1])]
                m.d.sync += lengths[group].eq(lengths[group + 1])
        with m.If(arrives):
            m.d.sync += row.eq(row + 1)
            with m.Switch(place):
                for group in range(3):
                    with m.Case(group):
                        m.d.sync += words[group][row].eq(word)
        with m.If(completes):
            m.d.sync += [row.eq(0), lengths[place].eq(row + 1)]

        known, expected = Signal(), Signal(self.banks.shape)  # the word read last, if that row was ever loaded
        with m.If(b.enable):
            m.d.sync += [known.eq(b.address < lengths[0]), expected.eq(words[0][b.address])]
        m.d.comb += [
            Assume(b.loaded | ~(b.enable | b.release)),
            Assume(~arrives | (row != depth - 1) | b.load.payload.last),
            Assume(~came | arrives | ~b.load.payload.last),
            Assert(~(b.loaded & came & (self.banks.filling == self.banks.reading))),
            Assert(b.loaded == (groups != 0)),
            Assert(b.load.ready == (groups < DoubleBuffer.BANKS)),
            Assert(~known | (b.word == expected)),
        ]
        return m

    def collect(self, m: Module, came: Value) -> tuple[Value, Value]:
        """Whether a word arrives, and the word: each beat is one."""
        return came, self.buffer.load.payload.word


class GroupLoaderProperties(DoubleBufferProperties):
    """The same for a group loader, whose words come in several beats; the last beat of a group ends a word."""

    def __init__(self, loader: GroupLoader) -> None:
        super().__init__(loader)
        self.banks = loader.banks

    def collect(self, m: Module, came: Value) -> tuple[Value, Value]:
        """Whether a word arrives, and the word: as many beats as a word has rows."""
        return collect(m, self.buffer.load.payload.row, self.buffer.rows, came)

"""What buffers between two streams and the choice of the best must keep, as assertions for a formal proof."""

from __future__ import annotations

from typing import Any

from amaranth import Array, Cat, Module, Signal
from amaranth.hdl import Assert, Assume
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from rtl.stream_blocks.double_buffer import DoubleBuffer


class BufferProperties(wiring.Component):
    """A buffer with free inputs beside a model of it that is nothing but a queue.

    Asserted: it never takes more than its capacity; what it offers is the oldest beat that it holds, so none is
    lost, doubled, changed or overtaken; an offer stays until taken; a beat is offered after `latency` cycles.
    """

    def __init__(self, buffer: Any, capacity: int, latency: int) -> None:
        self.buffer = buffer
        self.capacity = capacity
        self.latency = latency
        super().__init__(buffer.signature)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.buffer = buffer = self.buffer
        wiring.connect(m, wiring.flipped(self.x), buffer.x)
        wiring.connect(m, buffer.y, wiring.flipped(self.y))
        x, y = buffer.x, buffer.y

        level, waited = Signal(range(self.capacity + 2)), Signal(range(self.latency + 2))
        queue = Array(Signal(x.payload.shape(), name=f"queue_{i}") for i in range(self.capacity + 1))
        came, went = x.valid & x.ready, y.valid & y.ready
        m.d.sync += level.eq(level + came - went)
        with m.If(went):
            m.d.sync += [here.eq(after) for here, after in zip(list(queue), list(queue)[1:])]
        with m.If(came):
            m.d.sync += queue[level - went].eq(x.payload)
        m.d.sync += waited.eq(0)
        with m.If((level > 0) & ~y.valid):
            m.d.sync += waited.eq(waited + 1)

        started, offered, payload = Signal(), Signal(), Signal.like(y.payload)
        m.d.sync += [started.eq(1), offered.eq(y.valid & ~y.ready), payload.eq(y.payload)]
        m.d.comb += [
            Assert(level <= self.capacity),
            Assert((level < self.capacity) | ~x.ready | went),
            Assert(~y.valid | ((level > 0) & (y.payload == queue[0]))),
            Assert(~offered | (y.valid & (y.payload == payload))),
            Assert(waited < self.latency),
            Assume(started | ~x.valid),
        ]
        return m


class TopKProperties(wiring.Component):
    """A list of the best with free values beside a counter of indices, and one index that is watched, any one.

    Asserted: places fill from the top; values fall from place to place; of equal ones the lower index is first; no
    index is there twice or ahead of its time; the watched one is on the list with its own value, or the list is full
    and its last entry is better. As the watched one is any, the list is the best of all that came.
    """

    def __init__(self, top_k: Any, count: int) -> None:
        self.top_k = top_k
        self.count = count
        super().__init__(
            {"insert": In(1), "value": In(top_k.value.shape()), "watched": In(top_k.index.shape())},
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.top_k = dut = self.top_k
        came, latched = Signal(range(self.count + 1)), Signal()
        watched, value, seen = Signal.like(dut.index), Signal.like(dut.value), Signal()
        m.d.sync += latched.eq(1)
        with m.If(~latched):
            m.d.sync += watched.eq(self.watched)
        inserts = self.insert & latched
        m.d.comb += [dut.insert.eq(inserts), dut.value.eq(self.value)]
        with m.If(inserts):
            with m.If(came == self.count):  # a new list begins
                m.d.comb += [dut.first.eq(1), dut.index.eq(0)]
                m.d.sync += [came.eq(1), seen.eq(watched == 0), value.eq(self.value)]
            with m.Else():
                m.d.comb += [dut.first.eq(came == 0), dut.index.eq(came)]
                m.d.sync += came.eq(came + 1)
                with m.If(came == watched):
                    m.d.sync += [seen.eq(1), value.eq(self.value)]

        values, indices = ([fields[i] for i in range(dut.top)] for fields in (dut.values, dut.indices))
        held = [dut.held[i] for i in range(dut.top)]
        listed = [held[i] & (indices[i] == watched) for i in range(dut.top)]
        for i in range(dut.top):
            m.d.comb += [
                Assert(held[i] == (came > i)),
                Assert(~held[i] | (indices[i] < came)),
                Assert(~listed[i] | (seen & (values[i] == value))),
            ]
            for j in range(i):
                falls = (values[j] > values[i]) | ((values[j] == values[i]) & (indices[j] < indices[i]))
                m.d.comb += [Assert(~held[i] | falls), Assert(~held[i] | (indices[j] != indices[i]))]
        better = (values[-1] > value) | ((values[-1] == value) & (indices[-1] < watched))
        m.d.comb += Assert(~seen | Cat(listed).any() | (held[-1] & better))
        return m


class DoubleBufferProperties(wiring.Component):
    """A double buffer with free inputs beside a model of it that is two groups of words in order of arrival.

    Asserted: the bank that the reader has is never written; a group is offered as soon as it is complete and until
    it is released, beats are taken exactly while a bank is free; a read gives the word that came at that place of
    the oldest group, and keeps giving it until the next read: no beat is lost, doubled, changed or overtaken.

    Assumed is what the buffer asks of its users: to read and release only what is loaded, to end a group with the
    last row at the latest.
    """

    def __init__(self, buffer: DoubleBuffer) -> None:
        self.buffer = buffer
        super().__init__(buffer.signature)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.buffer = b = self.buffer
        wiring.connect(m, wiring.flipped(self), b)
        came = b.load.valid & b.load.ready
        depth = b.depth
        count = range(depth + 1)
        groups, row = Signal(range(DoubleBuffer.BANKS + 2)), Signal(range(depth))  # complete ones; rows of the next
        words = [Array(Signal(b.shape, name=f"word_{g}_{i}") for i in range(depth)) for g in range(3)]
        lengths = Array(Signal(count, name=f"length_{g}") for g in range(3))

        place = groups - b.release  # of the group that arrives, once what is released has left
        completes = came & b.load.payload.last
        m.d.sync += groups.eq(place + completes)
        with m.If(b.release):
            for group in range(2):
                m.d.sync += [here.eq(after) for here, after in zip(words[group], words[group + 1])]
                m.d.sync += lengths[group].eq(lengths[group + 1])
        with m.If(came):
            m.d.sync += row.eq(row + 1)
            with m.Switch(place):
                for group in range(3):
                    with m.Case(group):
                        m.d.sync += words[group][row].eq(b.load.payload.word)
        with m.If(completes):
            m.d.sync += [row.eq(0), lengths[place].eq(row + 1)]

        known, expected = Signal(), Signal(b.shape)  # what was read last, if that row was ever loaded
        with m.If(b.enable):
            m.d.sync += [known.eq(b.address < lengths[0]), expected.eq(words[0][b.address])]
        m.d.comb += [
            Assume(b.loaded | ~(b.enable | b.release)),
            Assume((row != depth - 1) | b.load.payload.last),
            Assert(~(b.loaded & came & (b.filling == b.reading))),
            Assert(b.loaded == (groups != 0)),
            Assert(b.load.ready == (groups < DoubleBuffer.BANKS)),
            Assert(~known | (b.word == expected)),
        ]
        return m

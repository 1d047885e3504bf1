"""Control logic, proven for all inputs and all times."""

from __future__ import annotations

from typing import Any

import pytest
from amaranth import Module, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.stream_blocks.double_buffer import DoubleBuffer
from rtl.stream_blocks.fifo import StreamFifo
from rtl.stream_blocks.pipeline import Pipeline, advances
from rtl.stream_blocks.skid_buffer import SkidBuffer
from tests.rtl.formal import prove
from tests.rtl.properties import BufferProperties, DoubleBufferProperties

BEAT = unsigned(2)


class Delay(wiring.Component):
    """A pipeline of three stages that do nothing."""

    def __init__(self) -> None:
        super().__init__({"x": In(stream.Signature(BEAT)), "y": Out(stream.Signature(BEAT))})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pipe = Pipeline(m, advances(self.y))
        end = pipe.stages(3, valid=self.x.valid, beat=self.x.payload)
        m.d.comb += [self.x.ready.eq(pipe.advance), self.y.valid.eq(end.valid), self.y.payload.eq(end.beat)]
        return m


class LeakyBuffer(SkidBuffer):
    """A skid buffer that is always ready: it loses beats."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.x.ready.eq(1)
        return m


def test_a_skid_buffer_keeps_all_beats_in_order() -> None:
    assert prove(BufferProperties(SkidBuffer(BEAT), SkidBuffer.CAPACITY, SkidBuffer.LATENCY), "skid_buffer") == ""


def test_a_pipeline_keeps_all_beats_in_order() -> None:
    assert prove(BufferProperties(Delay(), capacity=3, latency=3), "pipeline") == ""


@pytest.mark.parametrize("depth", [2, 4])
def test_a_fifo_keeps_all_beats_in_order(depth: int) -> None:
    fifo = StreamFifo(BEAT, depth)
    assert prove(BufferProperties(fifo, depth, StreamFifo.LATENCY), f"fifo_{depth}") == ""


@pytest.mark.parametrize(("capacity", "latency"), [(3, 2), (4, 1)])
def test_a_fifo_of_4_holds_4_and_takes_two_cycles(capacity: int, latency: int) -> None:
    assert "DONE (FAIL" in prove(BufferProperties(StreamFifo(BEAT, 4), capacity, latency), f"not_{capacity}_{latency}")


def test_a_leak_is_found() -> None:
    said = prove(BufferProperties(LeakyBuffer(BEAT), SkidBuffer.CAPACITY, SkidBuffer.LATENCY), "leaky_buffer")
    assert "DONE (FAIL" in said


class EagerDoubleBuffer(DoubleBuffer):
    """Ready though both banks are loaded: it writes the bank that is read."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.load.ready.eq(1)
        return m


class HastyDoubleBuffer(DoubleBuffer):
    """Takes a group for loaded before its last word has come."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.loaded.eq(1)
        return m


class SingleBuffer(DoubleBuffer):
    """Both banks lie at the same place."""

    def _place(self, bank: Any, row: Any) -> Any:
        return row


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_double_buffer_is_never_read_while_written_and_keeps_all_words(depth: int) -> None:
    assert prove(DoubleBufferProperties(DoubleBuffer(unsigned(1), depth)), f"double_buffer_{depth}") == ""


@pytest.mark.parametrize("buffer", [EagerDoubleBuffer, HastyDoubleBuffer, SingleBuffer])
def test_a_bank_used_by_both_sides_is_found(buffer: type[DoubleBuffer]) -> None:
    assert "DONE (FAIL" in prove(DoubleBufferProperties(buffer(unsigned(1), 2)), buffer.__name__)

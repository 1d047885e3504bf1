"""Control logic, proven for all inputs and all times."""

from __future__ import annotations

from typing import Any

import pytest
from amaranth import Module, Mux, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.stream_blocks.double_buffer import DoubleBuffer
from hwsim.rtl.stream_blocks.fifo import ShortFifo, StreamFifo
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.stream_blocks.skid_buffer import SkidBuffer
from hwsim.rtl.stream_blocks.top_k import TopK
from tests.rtl.formal import prove
from tests.rtl.properties.buffer import BufferProperties
from tests.rtl.properties.double_buffer import DoubleBufferProperties
from tests.rtl.properties.top_k import TopKProperties

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


class OverflowingFifo(ShortFifo):
    """Ready although it is full: a beat that comes then is lost."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.x.ready.eq(1)
        return m


class StickyFifo(ShortFifo):
    """Keeps its oldest beat if a new one comes when it is taken: the oldest beat is doubled."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += m.submodules.queue.r_en.eq(self.y.ready & ~self.x.valid)
        return m


def test_a_skid_buffer_keeps_all_beats_in_order() -> None:
    assert prove(BufferProperties(SkidBuffer(BEAT), SkidBuffer.CAPACITY, SkidBuffer.LATENCY), "skid_buffer") == ""


def test_a_pipeline_keeps_all_beats_in_order() -> None:
    assert prove(BufferProperties(Delay(), capacity=3, latency=3), "pipeline") == ""


@pytest.mark.parametrize("depth", [2, 4])
def test_a_fifo_keeps_all_beats_in_order(depth: int) -> None:
    fifo = StreamFifo(BEAT, depth)
    assert prove(BufferProperties(fifo, depth, StreamFifo.LATENCY), f"fifo_{depth}") == ""


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_short_fifo_keeps_all_beats_in_order(depth: int) -> None:
    fifo = ShortFifo(BEAT, depth)
    assert prove(BufferProperties(fifo, depth, ShortFifo.LATENCY), f"short_fifo_{depth}") == ""


@pytest.mark.parametrize(("capacity", "latency"), [(3, 2), (4, 1)])
def test_a_fifo_of_4_holds_4_and_takes_two_cycles(capacity: int, latency: int) -> None:
    assert "DONE (FAIL" in prove(BufferProperties(StreamFifo(BEAT, 4), capacity, latency), f"not_{capacity}_{latency}")


@pytest.mark.parametrize("fifo", [OverflowingFifo, StickyFifo])
def test_a_short_fifo_that_loses_or_doubles_a_beat_is_found(fifo: type[ShortFifo]) -> None:
    assert "DONE (FAIL" in prove(BufferProperties(fifo(BEAT, 2), 2, ShortFifo.LATENCY), fifo.__name__)


def test_a_leak_is_found() -> None:
    said = prove(BufferProperties(LeakyBuffer(BEAT), SkidBuffer.CAPACITY, SkidBuffer.LATENCY), "leaky_buffer")
    assert "DONE (FAIL" in said


class ForgetfulTopK(TopK):
    """Lacks the branch that keeps the previous entry, as the source of the published gate does."""

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        with m.If(self.insert):
            better = [self.first | ~self.held[i] | (self.value > self.values[i]) for i in range(self.top)]
            for i in range(self.top):
                above = better[i - 1] if i else 0
                m.d.sync += [
                    self.held[i].eq((i == 0) | (self.held[i - 1] & ~self.first)),
                    self.values[i].eq(Mux(above, self.values[i - 1], self.value)),
                    self.indices[i].eq(Mux(above, self.indices[i - 1], self.index)),
                ]
        return m


class LooseTopK(TopK):
    """Inserts before equal values: ties go to the higher index."""

    def precedes(self, listed: Value) -> Value:
        return self.value >= listed


@pytest.mark.parametrize(
    ("shape", "count", "top"),
    [
        (signed(2), 3, 1),
        (signed(2), 4, 2),
        pytest.param(signed(3), 5, 3, marks=pytest.mark.slow),
    ],
)
def test_the_best_k_are_sorted_with_ties_to_the_lower_index(shape: Any, count: int, top: int) -> None:
    assert prove(TopKProperties(TopK(shape, count, top), count), f"top_{top}_of_{count}") == ""


@pytest.mark.parametrize("wrong", [ForgetfulTopK, LooseTopK])
def test_a_wrong_order_of_the_best_is_found(wrong: type[TopK]) -> None:
    assert "DONE (FAIL" in prove(TopKProperties(wrong(signed(2), 4, 2), 4), wrong.__name__)


class EagerDoubleBuffer(DoubleBuffer):
    """Ready although both banks are loaded: it writes the bank that is read."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.load.ready.eq(1)
        return m


class HastyDoubleBuffer(DoubleBuffer):
    """Considers a group loaded before its last word has come."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.loaded.eq(1)
        return m


class SingleBuffer(DoubleBuffer):
    """Both banks use the same addresses."""

    def _place(self, bank: Any, row: Any) -> Any:
        return row


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_double_buffer_is_never_read_while_written_and_keeps_all_words(depth: int) -> None:
    assert prove(DoubleBufferProperties(DoubleBuffer(unsigned(1), depth)), f"double_buffer_{depth}") == ""


@pytest.mark.parametrize("buffer", [EagerDoubleBuffer, HastyDoubleBuffer, SingleBuffer])
def test_a_bank_used_by_both_sides_is_found(buffer: type[DoubleBuffer]) -> None:
    assert "DONE (FAIL" in prove(DoubleBufferProperties(buffer(unsigned(1), 2)), buffer.__name__)

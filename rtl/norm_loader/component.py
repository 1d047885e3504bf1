"""The norm loader in RTL."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory

from hwsim.rtl.norm_loader.contract import NormLoaderContract
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.streams import port_members


class NormLoader(wiring.Component):
    """Weights go into a memory; each beat of biases meets its weights, and their rows leave one after the other."""

    def __init__(self, contract: NormLoaderContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        beat, is_bias = Signal(range(max(c.vector_beats, 2))), Signal()
        busy = self._count(m, beat, is_bias)

        row, closes = Signal(range(max(c.beat_rows, 2))), Signal()
        pipe = Pipeline(m, ~self.norm.valid | (self.norm.ready & closes))
        m.d.comb += [closes.eq(row == c.beat_rows - 1), self.memory.ready.eq(busy & (~is_bias | pipe.advance))]
        with m.If(self.norm.valid & self.norm.ready):
            m.d.sync += row.eq(Mux(closes, 0, row + 1))
        numbers = self.memory.payload.numbers.as_value()
        came = self.memory.valid & self.memory.ready
        out = pipe.stage(valid=came & is_bias, biases=numbers)
        weights = self._store(m, beat, numbers, came & ~is_bias, pipe.advance)
        row_bits = c.lanes * c.number_bits
        m.d.comb += [
            self.norm.valid.eq(out.valid),
            self.norm.payload.weight.as_value().eq(weights.word_select(row, row_bits)),
            self.norm.payload.bias.as_value().eq(out.biases.word_select(row, row_bits)),
        ]
        return m

    def _count(self, m: Module, beat: Signal, is_bias: Signal) -> Value:
        """Count norms, their vectors, and the beats of each; return whether a beat may come."""
        c = self.contract
        norms, wait = Signal.like(self.command.payload.norms), Signal(range(c.pause + 1))
        m.d.comb += self.command.ready.eq(norms == 0)
        last = beat == c.vector_beats - 1
        with m.If(norms == 0), m.If(self.command.valid):
            m.d.sync += [norms.eq(self.command.payload.norms), wait.eq(c.pause)]
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Elif(self.memory.valid & self.memory.ready):
            m.d.sync += beat.eq(Mux(last, 0, beat + 1))
            with m.If(last):
                m.d.sync += [is_bias.eq(~is_bias), wait.eq(c.pause), norms.eq(norms - is_bias)]
        return (norms != 0) & (wait == 0)

    def _store(self, m: Module, beat: Signal, numbers: Value, write: Value, read: Value) -> Value:
        """The weights of a vector: written beat by beat, and read at the beat that comes."""
        m.submodules.weights = memory = Memory(shape=len(numbers), depth=self.contract.vector_beats, init=[])
        into, out = memory.write_port(), memory.read_port()
        m.d.comb += [into.addr.eq(beat), into.data.eq(numbers), into.en.eq(write), out.addr.eq(beat), out.en.eq(read)]
        weights: Value = out.data
        return weights

"""The weight loader in RTL: a counter of arriving beats, two double buffers, a pipeline after them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hwsim.mapping.formats import Fixed
from hwsim.rtl.fixed_point import recode
from hwsim.rtl.stream_blocks.double_buffer import DoubleBuffer
from hwsim.rtl.stream_blocks.gather import gather
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import port_members
from hwsim.rtl.weight_loader.contract import WeightLoaderContract


class WeightLoader(wiring.Component):
    """Takes a group's beats only once a bank is free for all of it, so nothing waits between memory and banks.

    `tests/rtl/test_formal_blocks.py` proves that a bank is ready for each word that comes.
    """

    def __init__(self, contract: WeightLoaderContract) -> None:
        c = self.contract = contract
        self.weights = DoubleBuffer(c.in_lanes * c.out_lanes * c.number_bits, c.weight_words)
        self.biases = DoubleBuffer(c.out_lanes * c.bias.width, c.bias_words)
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        m.submodules.weights, m.submodules.biases = weights, biases = self.weights, self.biases
        released = self._read(m, weights, biases)
        beat = self._count(m, released)
        beat = Pipeline(m, 1).stages(c.load_stages, **vars(beat))

        is_weight, is_bias = beat.valid & ~beat.is_bias, beat.valid & beat.is_bias
        complete, word = gather(m, "weights", beat.numbers, c.word_beats, is_weight)
        m.d.comb += [
            weights.load.valid.eq(is_weight & complete),
            weights.load.payload.word.eq(word),
            weights.load.payload.last.eq(beat.last_weight),
        ]
        complete, word = gather(m, "biases", beat.numbers, c.bias_beats, is_bias)
        m.d.comb += [
            biases.load.valid.eq(is_bias & complete),
            biases.load.payload.word.eq(self._biases(word, beat.attention)),
            biases.load.payload.last.eq(beat.last),
        ]
        return m

    def _count(self, m: Module, released: Value) -> SimpleNamespace:
        """The arriving beat, and its kind."""
        c, command = self.contract, self.command.payload
        busy, is_bias, attention = Signal(), Signal(), Signal(reset_less=True)
        held = Signal(range(DoubleBuffer.BANKS + 1))  # banks that are loaded or being loaded
        tiles = Signal(range(c.bias_words + 1), reset_less=True)
        rows, columns = Signal.like(tiles), Signal(range(c.weight_words + 1))  # tiles to come after this one
        in_tiles = Signal(range(c.weight_words + 1), reset_less=True)
        part = Signal(range(max(c.word_beats, c.bias_beats)))
        takes, came = Signal(), Signal()
        m.d.comb += [
            self.command.ready.eq(~busy & (held < DoubleBuffer.BANKS)),
            takes.eq(self.command.valid & self.command.ready),
            self.memory.ready.eq(busy),
            came.eq(self.memory.valid & busy),
        ]
        m.d.sync += held.eq(held + takes - released)
        word_ends = part == Mux(is_bias, c.bias_beats, c.word_beats) - 1
        last_weight, last = (rows == 0) & (columns == 0) & ~is_bias, (rows == 0) & is_bias
        with m.If(takes):
            m.d.sync += [
                busy.eq(1),
                attention.eq(command.attention),
                in_tiles.eq(command.in_tiles),
                tiles.eq(command.out_tiles),
                rows.eq(command.out_tiles - 1),
                columns.eq(command.in_tiles - 1),
            ]
        with m.If(came):
            m.d.sync += part.eq(Mux(word_ends, 0, part + 1))
            with m.If(word_ends & last):
                m.d.sync += [busy.eq(0), is_bias.eq(0)]
            with m.Elif(word_ends & last_weight):
                m.d.sync += [is_bias.eq(1), rows.eq(tiles - 1)]
            with m.Elif(word_ends & (is_bias | (columns == 0))):
                m.d.sync += [rows.eq(rows - 1), columns.eq(in_tiles - 1)]
            with m.Elif(word_ends):
                m.d.sync += columns.eq(columns - 1)
        return SimpleNamespace(
            valid=came,
            numbers=self.memory.payload.numbers.as_value(),
            is_bias=is_bias,
            attention=attention,
            last_weight=last_weight,
            last=last,
        )

    def _read(self, m: Module, weights: DoubleBuffer, biases: DoubleBuffer) -> Value:
        """Serve `read`; return whether a bank is released."""
        c, read = self.contract, self.read
        pipe = Pipeline(m, advances(self.word))
        takes = Signal()
        loaded = weights.loaded & biases.loaded
        m.d.comb += [read.ready.eq(pipe.advance & loaded), takes.eq(read.valid & read.ready)]
        released = takes & read.payload.last
        for banks, address in ((weights, read.payload.word), (biases, read.payload.tile)):
            m.d.comb += [banks.enable.eq(takes), banks.address.eq(address), banks.release.eq(released)]
        out = pipe.stage(valid=read.valid & loaded)
        out = pipe.stages(c.read_stages, valid=out.valid, weights=weights.word, bias=biases.word)
        m.d.comb += [
            self.word.valid.eq(out.valid),
            self.word.payload.weights.as_value().eq(out.weights),
            self.word.payload.bias.as_value().eq(out.bias),
        ]
        return released

    def _biases(self, numbers: Value, attention: Value) -> Value:
        """A word of biases in the format in which they come out."""
        c = self.contract
        fixed = [Fixed(width=c.number_bits, integer=n) for n in (c.bias_integer, c.attention_bias_integer)]
        lanes = []
        for i in range(c.out_lanes):
            number = numbers.word_select(i, c.number_bits).as_signed()
            ordinary, of_attention = (recode(number, fmt.fraction, c.bias) for fmt in fixed)
            lanes.append(Mux(attention, of_attention, ordinary)[: c.bias.width])
        return Cat(*lanes)

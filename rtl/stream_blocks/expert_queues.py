"""A queue of tokens and scores for each expert in one memory, and the list of the experts that have tokens."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Mux, ShapeLike, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.stream_blocks.select import select


class ExpertQueues(wiring.Component):
    """Filled by `push`; then, while `drain`, emptied by two streams in the order of the experts.

    `meta` carries each expert that has tokens and their number, `queue` the tokens. The streams do not wait for each
    other, so a reader can know all experts before it takes the first token. Reader and writer share only the counter of
    the length, which can reach `max_tokens`: an expert that every token chose is not a special case.
    """

    def __init__(self, experts: int, max_tokens: int, meta: ShapeLike, entry: data.StructLayout) -> None:
        self.experts = experts
        self.max_tokens = max_tokens
        super().__init__(
            {
                "push": In(1),
                "expert": In(max(1, (experts - 1).bit_length())),
                "entry": In(entry),  # a beat of `queue`; its `last` is set here
                "drain": In(1),
                "drained": Out(1),  # everything was read; the queues are empty
                "meta": Out(stream.Signature(meta)),
                "queue": Out(stream.Signature(entry)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        lengths = [Signal(range(self.max_tokens + 1), name=f"length_{i}") for i in range(self.experts)]
        listed, full = Signal(self.experts), Signal(self.experts)  # experts still to be named, and to be read
        with m.If(self.push):
            for expert, length in enumerate(lengths):
                with m.If(self.expert == expert):
                    m.d.sync += [length.eq(length + 1), listed[expert].eq(1), full[expert].eq(1)]
        m.d.comb += self.drained.eq(self.drain & (listed == 0) & (full == 0))
        with m.If(self.drained):
            m.d.sync += [length.eq(0) for length in lengths]

        named = _lowest(m, listed, "named")
        m.d.comb += [
            self.meta.valid.eq(self.drain & (listed != 0)),
            self.meta.payload.expert.eq(named),
            self.meta.payload.length.eq(select(lengths, named)),
            self.meta.payload.last.eq((listed & (listed - 1)[: self.experts]) == 0),
        ]
        with m.If(self.meta.valid & self.meta.ready):
            m.d.sync += listed.eq(listed & (listed - 1)[: self.experts])
        self._read(m, lengths, full)
        return m

    def _read(self, m: Module, lengths: list[Signal], full: Signal) -> None:
        """The memory: written at an expert's length, read from its start to its length."""
        position = Signal(range(max(2, self.max_tokens)))
        expert = _lowest(m, full, "read")
        depth = 1 << (len(position) + len(self.expert))
        payload = self.queue.payload
        kept = len(Value.cast(payload)) - 1  # everything except `last`, which is the highest bit
        m.submodules.memory = memory = Memory(shape=kept, depth=depth, init=[])
        write, read = memory.write_port(), memory.read_port(domain="sync")
        pipe = Pipeline(m, advances(self.queue))
        last, reading = Signal(), Signal()
        m.d.comb += [
            write.en.eq(self.push),
            write.addr.eq(Cat(select(lengths, self.expert)[: len(position)], self.expert)),
            write.data.eq(self.entry.as_value()[:kept]),
            reading.eq(self.drain & (full != 0)),
            last.eq(position == select(lengths, expert) - 1),
            read.en.eq(pipe.advance),
            read.addr.eq(Cat(position, expert)),
        ]
        with m.If(reading & pipe.advance):
            m.d.sync += position.eq(Mux(last, 0, position + 1))
            with m.If(last):
                m.d.sync += full.eq(full & (full - 1)[: self.experts])
        out = pipe.stage(valid=reading, last=last)
        m.d.comb += [self.queue.valid.eq(out.valid), payload.as_value().eq(Cat(read.data, out.last))]


def _lowest(m: Module, bits: Value, name: str) -> Signal:
    """Position of the lowest set bit."""
    position = Signal(max(1, (len(bits) - 1).bit_length()), name=name)
    for i in reversed(range(len(bits))):
        with m.If(bits[i]):  # the last assignment that applies wins
            m.d.comb += position.eq(i)
    return position

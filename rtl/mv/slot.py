"""One slot's weighted sums: `channels` multipliers, and a memory with a sum for each channel of a token."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Mux, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.streams import shape_of


class SlotSums(wiring.Component):
    """Adds `probability * v` to the sums of a beat; the beat is named when the products are ready."""

    def __init__(self, contract: MvContract) -> None:
        c = self.contract = contract
        super().__init__(
            {
                "advance": In(1),  # the pipeline advances
                "probability": In(shape_of(c.activation)),
                "v": In(data.ArrayLayout(shape_of(c.activation), c.channels)),
                "next_beat": In(range(c.token_beats)),  # the beat whose products are ready in the next cycle
                "beat": In(range(c.token_beats)),  # the beat whose products are ready
                "add": In(1),  # they are added
                "first": In(1),  # instead of the sums, to 0
                "totals": Out(data.ArrayLayout(shape_of(c.accumulator), c.channels)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, self.advance)
        held = pipe.stages(c.product_stages - 1, p=self.probability, **{f"v{i}": self.v[i] for i in range(c.channels)})
        done = pipe.stage(
            **{
                f"product{i}": recode(held.p * getattr(held, f"v{i}"), 2 * c.activation.fraction, c.accumulator)
                for i in range(c.channels)
            }
        )
        width = c.accumulator.width
        m.submodules.sums = memory = Memory(shape=unsigned(c.channels * width), depth=c.token_beats, init=[])
        into, out = memory.write_port(), memory.read_port(domain="sync")
        for i in range(c.channels):
            stored = Mux(self.first, 0, out.data.word_select(i, width))
            m.d.comb += self.totals[i].eq(stored + getattr(done, f"product{i}"))  # wraps
        m.d.comb += [
            out.addr.eq(self.next_beat),
            out.en.eq(self.advance),
            into.addr.eq(self.beat),
            into.data.eq(Cat(self.totals[i] for i in range(c.channels))),
            into.en.eq(self.advance & self.add),
        ]
        return m

"""The scores of attention in RTL: a memory and a column of multipliers for each slot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amaranth import Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.instances import add_instance
from hwsim.rtl.mac_tile.component import MacColumn
from hwsim.rtl.qk_reorder.column import ScaledColumn
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.stream_blocks.counting import count_beats
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.stream_blocks.skew import SkewWalk
from hwsim.rtl.streams import port_members, shape_of


class QkReorder(wiring.Component):
    """Walks the rows, joins keys with the queries that refill slots, and controls the slots, which advance together."""

    def __init__(self, contract: QkReorderContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, advances(self.scores))
        m.submodules.walk = walk = SkewWalk(c.slots, c.max_tokens)
        accept = Signal()
        place = count_beats(m, accept, c.heads, c.head_beats)
        m.d.comb += [
            accept.eq(pipe.advance & walk.running & self.k.valid & (self.q.valid | ~walk.refill.any())),
            self.k.ready.eq(accept),
            self.q.ready.eq(accept & walk.refill.any()),
            self.command.ready.eq(~walk.running),
            walk.start.eq(self.command.valid),
            walk.tokens.eq(self.command.payload.tokens),
            walk.step.eq(accept & place.last_of_token),
        ]
        queries = self._hold_queries(m, pipe, accept & walk.refill.any(), walk.refill, place.beat)
        s = pipe.stage(
            valid=accept,
            key=self.k.payload.values,
            fresh=self.q.payload.values,
            refill=walk.refill,
            mask=walk.mask,
            first=place.first_of_head,
            last=place.last_of_head,
        )
        # a slot's memory is written in the cycle in which it is read, so the new query bypasses the memory
        operands = [Mux(s.refill[slot], s.fresh.as_value(), query) for slot, query in enumerate(queries)]
        self._finish(m, pipe, s, self._sum(m, pipe, s, operands))
        return m

    def _hold_queries(self, m: Module, pipe: Pipeline, write: Value, refill: Value, beat: Value) -> list[Value]:
        """Each slot's query, read a cycle before it is used."""
        c, held = self.contract, []
        for slot in range(c.slots):
            m.submodules[f"slot_{slot}"] = memory = Memory(
                shape=unsigned(c.channels * c.activation.width), depth=max(c.token_beats, 2), init=[]
            )
            into, out = memory.write_port(), memory.read_port(domain="sync")
            m.d.comb += [
                into.addr.eq(beat),
                into.data.eq(self.q.payload.values),
                into.en.eq(write & refill[slot]),
                out.addr.eq(beat),
                out.en.eq(pipe.advance),
            ]
            held.append(out.data)
        return held

    def _sum(self, m: Module, pipe: Pipeline, s: SimpleNamespace, operands: list[Value]) -> list[Value]:
        """The sums of the slots' columns; the pipeline continues to the stage in which they are complete."""
        c, totals = self.contract, []
        s.held = pipe.stages(
            c.column.latency - 1 + c.scales_beats, valid=s.valid, first=s.first, last=s.last, mask=s.mask
        )
        part, name = (ScaledColumn(c), "scaled_column") if c.scales_beats else (MacColumn(c.column), "mac_column")
        for slot, operand in enumerate(operands):
            column = add_instance(m, f"column_{slot}", name, part)
            m.d.comb += [
                column.advance.eq(pipe.advance),
                column.x.eq(s.key),
                column.w.eq(operand),
                column.add.eq(pipe.advance & s.held.valid),
                *([] if c.scales_beats else [column.bias.eq(0)]),
                column.first.eq(s.held.first),
            ]
            totals.append(column.total)
        return totals

    def _finish(self, m: Module, pipe: Pipeline, s: SimpleNamespace, totals: list[Value]) -> None:
        """Scale complete sums, unless their parts were scaled, and send them with their mask."""
        c = self.contract
        done = pipe.stage(valid=s.held.valid & s.held.last, mask=s.held.mask)
        values = Signal(data.ArrayLayout(shape_of(c.activation), c.slots))
        fraction, scale = c.accumulator.fraction, Const(c.scale_code, shape_of(c.scale))
        for slot, total in enumerate(totals):
            scaled = (total, fraction) if c.scales_beats else (total * scale, fraction + c.scale.fraction)
            m.d.comb += values[slot].eq(Mux(done.mask[slot], recode(*scaled, c.activation), 0))
        out = pipe.stages(1 - c.scales_beats + c.output_stages, valid=done.valid, values=values, mask=done.mask)
        pipe.require_depth(c.block, c.latency)
        m.d.comb += [
            self.scores.valid.eq(out.valid),
            self.scores.payload.values.eq(out.values),
            self.scores.payload.mask.eq(out.mask),
        ]

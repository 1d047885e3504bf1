"""Attention's values in RTL: probabilities by few exponential units, then a product and a sum per slot and channel."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import data, wiring

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.instances import add_instance
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.mv.probability import ProbabilityUnit
from hwsim.rtl.mv.slot import SlotSums
from hwsim.rtl.stream_blocks.counting import count_beats
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.stream_blocks.select import choose
from hwsim.rtl.stream_blocks.skew import SkewWalk
from hwsim.rtl.stream_blocks.skid_buffer import SkidBuffer
from hwsim.rtl.streams import port_members, shape_of


class Mv(wiring.Component):
    """Walks the rows, shares the exponential units among the slots, and controls their sums, which advance together."""

    def __init__(self, contract: MvContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        m.submodules.queue = queue = SkidBuffer(self.y.payload.shape())
        wiring.connect(m, queue.y, wiring.flipped(self.y))
        advance, may_leave = Signal(), Signal()
        pipe = Pipeline(m, advance)
        s = self._accept(m, pipe)
        arriving = self._make_probabilities(m, pipe, s)
        s = pipe.stages(
            c.probability_stages - 1, valid=s.valid, opens=s.opens, beat=s.beat, first=s.first, leaves=s.leaves
        )
        # values are taken when their probabilities are ready, so no register has to hold them until then
        m.d.comb += [advance.eq(may_leave & (~s.valid | self.v.valid)), self.v.ready.eq(may_leave & s.valid)]
        s, totals = self._sum(m, pipe, s, self._hold(m, pipe, s.valid & s.opens, arriving))
        values = Signal(self.y.payload.values.shape())
        for lane in range(c.channels):
            m.d.comb += values[lane].eq(choose(s.leaves, [t[lane] for t in totals]))
        out = pipe.stage(valid=s.valid & s.leaves.any(), values=values)
        out = pipe.stages(c.output_stages, valid=out.valid, values=out.values)
        pipe.require_depth(c.block, c.latency - SkidBuffer.LATENCY)
        m.d.comb += [
            may_leave.eq(~out.valid | queue.x.ready),
            queue.x.valid.eq(out.valid & advance),  # a waiting result leaves together with a value, once
            queue.x.payload.values.eq(out.values),
        ]
        return m

    def _accept(self, m: Module, pipe: Pipeline) -> SimpleNamespace:
        """Take the scores of each head and the info of each refill; one stage later they are aligned."""
        c = self.contract
        m.submodules.walk = walk = SkewWalk(c.slots, c.max_tokens)
        accept, refill = Signal(), Signal()
        place = count_beats(m, accept, c.heads, c.head_beats)
        m.d.comb += [
            refill.eq(walk.refill.any() & (place.beat == 0)),
            accept.eq(
                pipe.advance & walk.running & (self.scores.valid | ~place.first_of_head) & (self.info.valid | ~refill)
            ),
            self.scores.ready.eq(accept & place.first_of_head),
            self.info.ready.eq(accept & refill),
            self.command.ready.eq(~walk.running),
            walk.start.eq(self.command.valid),
            walk.tokens.eq(self.command.payload.tokens),
            walk.step.eq(accept & place.last_of_token),
        ]
        return pipe.stage(
            valid=accept,
            opens=place.first_of_head,
            beat=place.beat,
            first=walk.refill,
            leaves=walk.leaves,
            **self._look_up(m, accept & refill, walk.refill, place.head),
        )

    def _look_up(self, m: Module, write: Value, refill: Value, head: Value) -> dict[str, Value]:
        """Each slot's score minus its bias, and its inverse, which is 0 for masked scores."""
        c, found = self.contract, {}
        layout, scores = self.info.payload.shape(), self.scores.payload
        for slot in range(c.slots):
            held = Signal(layout, name=f"info_{slot}", reset_less=True)
            with m.If(write & refill[slot]):
                m.d.sync += held.eq(self.info.payload)
            info = data.View(layout, Mux(write & refill[slot], self.info.payload.as_value(), held.as_value()))
            found[f"difference_{slot}"] = scores.values[slot] - info.bias[head]
            found[f"inverse_{slot}"] = Mux(scores.mask[slot], info.inverse[head], 0)
        return found

    def _make_probabilities(self, m: Module, pipe: Pipeline, s: SimpleNamespace) -> list[Value]:
        """Each slot's probability, `probability_stages` after its score. Unit u serves slots u, u + exp_units, ..."""
        c, part = self.contract, ProbabilityUnit(self.contract)
        queues = Pipeline(m, pipe.advance)  # slots wait for their turn before the units, for the others after them
        operands = {name: value for name, value in vars(s).items() if name.startswith(("difference", "inverse"))}
        # `valid` is reset: a turn that a reset interrupted must not join the first turn after it
        turns = [SimpleNamespace(valid=s.valid & s.opens, **operands)]
        while len(turns) < c.turns:
            turns.append(queues.stage(**vars(turns[-1])))
        units = [add_instance(m, f"exp_unit_{i}", "probability_unit", part) for i in range(c.exp_units)]
        results = []
        for slot in range(c.slots):
            turn, unit = slot // c.exp_units, units[slot % c.exp_units]
            with m.If(turns[turn].valid):
                m.d.comb += [
                    unit.difference.eq(getattr(turns[turn], f"difference_{slot}")),
                    unit.inverse.eq(getattr(turns[turn], f"inverse_{slot}")),
                ]
            results.append(queues.stages(c.turns - 1 - turn, p=unit.probability).p)
        m.d.comb += [unit.advance.eq(pipe.advance) for unit in units]
        return results

    def _hold(self, m: Module, pipe: Pipeline, opens: Value, arriving: list[Value]) -> list[Value]:
        """The probabilities that arrive with a head's first beat, for all of its beats."""
        current = []
        for slot, probability in enumerate(arriving):
            held = Signal(shape_of(self.contract.activation), name=f"probability_{slot}", reset_less=True)
            with m.If(pipe.advance & opens):
                m.d.sync += held.eq(probability)
            current.append(Mux(opens, probability, held))
        return current

    def _sum(
        self, m: Module, pipe: Pipeline, s: SimpleNamespace, probabilities: list[Value]
    ) -> tuple[SimpleNamespace, list[list[Value]]]:
        """The slots' sums, with their control signals."""
        c, part, totals = self.contract, SlotSums(self.contract), []
        coming = pipe.stages(c.product_stages - 1, valid=s.valid, beat=s.beat, first=s.first, leaves=s.leaves)
        now = pipe.stage(**vars(coming))
        for slot, probability in enumerate(probabilities):
            sums = add_instance(m, f"slot_{slot}", "slot_sums", part)
            m.d.comb += [
                sums.advance.eq(pipe.advance),
                sums.probability.eq(probability),
                sums.v.eq(self.v.payload.values),
                sums.next_beat.eq(coming.beat),
                sums.beat.eq(now.beat),
                sums.add.eq(now.valid),
                sums.first.eq(now.first[slot]),
            ]
            totals.append([recode(t, c.accumulator.fraction, c.activation) for t in sums.totals])
        return now, totals

"""The softmax in a single pass in RTL: a lane of running sums for each slot, one reciprocal for all."""

from __future__ import annotations

from functools import reduce
from operator import or_
from types import SimpleNamespace
from typing import Any

from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hwsim.rtl.instances import add_instance
from hwsim.rtl.inverse_root.component import InverseRoot
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.online_sum.component import OnlineSum
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.stream_blocks.select import choose
from hwsim.rtl.stream_blocks.skew import SkewWalk
from hwsim.rtl.stream_blocks.skid_buffer import SkidBuffer
from hwsim.rtl.streams import port_members


class OnlineSoftmax(wiring.Component):
    """Walks the rows, starts and ends the queries of the slots, and gathers the info of the heads."""

    def __init__(self, contract: OnlineSoftmaxContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, advances(self.info))
        accept = Signal()
        m.submodules.walk = walk = SkewWalk(c.slots, c.max_tokens)
        head = self._count_heads(m, accept, walk)
        self._take(m, accept, walk.running, head, pipe.advance)
        totals, maxima = self._add_lanes(m, accept, walk.refill, head, pipe.advance)
        s = pipe.stages(
            c.recurrence.latency,
            valid=accept & walk.leaves.any(),
            head=head,
            ends=walk.leaves,
            bias=choose(walk.leaves, maxima),
        )
        m.submodules.reciprocal = reciprocal = InverseRoot(c.reciprocal)
        m.d.comb += [  # always fed, as the exponential units are
            reciprocal.x.valid.eq(1),
            reciprocal.x.payload.value.eq(choose(s.ends, totals)),
            reciprocal.y.ready.eq(pipe.advance),
        ]
        s = pipe.stages(c.reciprocal.latency, valid=s.valid, head=s.head, bias=s.bias)

        info = Signal(self.info.payload.shape(), reset_less=True)
        done = pipe.stage(valid=s.valid & (s.head == c.heads - 1))
        for head in range(c.heads):
            with m.If(pipe.advance & s.valid & (s.head == head)):
                m.d.sync += [info.inverse[head].eq(reciprocal.y.payload.value), info.bias[head].eq(s.bias)]
        out = pipe.stages(c.output_stages, valid=done.valid, info=info)
        pipe.require_depth(c.block, c.latency)
        m.d.comb += [self.info.valid.eq(out.valid), self.info.payload.eq(out.info)]
        return m

    def _count_heads(self, m: Module, accept: Signal, walk: SkewWalk) -> Signal:
        """The head of the next beat; the walk steps after a row's last head."""
        last = self.contract.heads - 1
        head = Signal(max(1, last.bit_length()))
        m.d.comb += [
            self.command.ready.eq(~walk.running),
            walk.start.eq(self.command.valid),
            walk.tokens.eq(self.command.payload.tokens),
            walk.step.eq(accept & (head == last)),
        ]
        with m.If(accept):
            m.d.sync += head.eq(Mux(head == last, 0, head + 1))
        return head

    def _take(self, m: Module, accept: Signal, running: Value, head: Signal, advance: Value) -> None:
        """Accept a beat when it may follow the earlier ones, and pass it on."""
        c = self.contract
        spacing = Pipeline(m, advance)
        recent = SimpleNamespace(valid=accept, head=head)
        too_early = []
        for age in range(1, max(c.recurrence.interval, c.initiation_interval)):
            recent = spacing.stage(**vars(recent))
            same = recent.head == head if age >= c.initiation_interval else Const(1)
            too_early.append(recent.valid & same)
        m.submodules.raw = raw = SkidBuffer(self.scores.payload.shape())
        wiring.connect(m, raw.y, wiring.flipped(self.raw))
        m.d.comb += [
            accept.eq(self.scores.valid & raw.x.ready & advance & running & ~reduce(or_, too_early, Const(0, 1))),
            self.scores.ready.eq(accept),
            raw.x.valid.eq(accept),
            raw.x.payload.eq(self.scores.payload),
        ]

    def _add_lanes(
        self, m: Module, accept: Signal, refill: Value, head: Signal, advance: Value
    ) -> tuple[list[Value], list[Value]]:
        """The slots' lanes; their sums and maxima."""
        c = self.contract
        part, lanes = OnlineSum(c.recurrence, masked=True), []
        for slot in range(c.slots):
            lane = add_instance(m, f"lane_{slot}", "online_sum", part)
            m.d.comb += [
                lane.advance.eq(advance),
                lane.update.eq(accept & self.scores.payload.mask[slot]),
                lane.first.eq(accept & refill[slot]),
                lane.state.eq(head),
                lane.value.eq(self.scores.payload.values[slot]),
            ]
            lanes.append(lane)
        return [lane.total for lane in lanes], [lane.maximum for lane in lanes]

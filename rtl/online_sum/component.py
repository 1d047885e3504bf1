"""A lane of running maxima and sums in RTL; the surrounding pipeline controls when it advances."""

from __future__ import annotations

from typing import Any

from amaranth import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.exp.component import Exp
from hwsim.rtl.fixed_point import recode
from hwsim.rtl.online_sum.recurrence import Recurrence
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.stream_blocks.select import select
from hwsim.rtl.streams import shape_of


class OnlineSum(wiring.Component):
    """Takes a value a cycle for any state; values of one state are at least `interval` cycles apart (while `advance`).

    The exponential unit is fed in every cycle, so that it is full before anything can stall, and from then on it moves
    exactly when `advance` is high. This requires that the surrounding pipeline moves for the first `r.exp.latency`
    cycles after a reset, which holds if only the pipeline's own end can stop it.

    If values may be `masked`, `first` without `update` starts the state from the least maximum and a sum of 0.
    """

    def __init__(self, recurrence: Recurrence, *, masked: bool = False) -> None:
        r = self.recurrence = recurrence
        self.masked = masked
        super().__init__(
            {
                "advance": In(1),  # the pipeline advances
                "update": In(1),  # the value counts; otherwise only its exponential is computed
                "first": In(1),  # the state starts again with it
                "state": In(max(1, (r.states - 1).bit_length())),
                "value": In(shape_of(r.values)),
                "maximum": Out(shape_of(r.values)),  # including the value, at once
                "power": Out(shape_of(r.exponential)),  # exp(-|value - maximum before|), 1 + r.exp.latency later
                "total": Out(shape_of(r.total)),  # including the value, r.latency later
            }
        )

    def elaborate(self, platform: Any) -> Module:
        r, m = self.recurrence, Module()
        maxima = [Signal(shape_of(r.values), name=f"maximum_{i}", reset_less=True) for i in range(r.states)]
        totals = [Signal(shape_of(r.total), name=f"total_{i}", reset_less=True) for i in range(r.states)]
        pipe = Pipeline(m, self.advance)

        counts = self.update if self.masked else Const(1)
        empty = self.first & ~counts if self.masked else Const(0, 0)  # the state starts without a value
        moves = self.update | empty
        kept, difference, grew = Signal(shape_of(r.values)), Signal(r.values.width + 1), Signal()
        m.d.comb += [
            kept.eq(select(maxima, self.state)),
            grew.eq(self.value > kept),
            difference.eq(Mux(grew, kept - self.value, self.value - kept)),
            self.maximum.eq(Mux(counts & (self.first | grew), self.value, Mux(empty, r.values.code_range[0], kept))),
        ]
        for i, maximum in enumerate(maxima):
            with m.If(self.advance & moves & (self.state == i)):
                m.d.sync += maximum.eq(self.maximum)
        argument = recode(difference.as_signed(), r.values.fraction, r.exp.argument)
        start = {"first": self.first, "empty": empty}
        a = pipe.stage(valid=moves, **start, grew=grew, state=self.state, argument=argument)

        m.submodules.exp = exp = Exp(r.exp)
        m.d.comb += [exp.x.valid.eq(1), exp.x.payload.value.eq(a.argument), exp.y.ready.eq(self.advance)]
        e = pipe.stages(r.exp.latency, valid=a.valid, first=a.first, empty=a.empty, grew=a.grew, state=a.state)
        power = exp.y.payload.value
        m.d.comb += self.power.eq(power)

        product = select(totals, e.state) * power
        p = pipe.stages(r.product_stages, product=product, power=power, **vars(e))
        # nothing else was added to this state meanwhile, since its values are at least `interval` apart
        one, fraction = 1 << r.total.fraction, r.total.fraction + r.exponential.fraction
        shrunk = recode(p.product, fraction, r.total) + one
        longer = select(totals, p.state) + recode(p.power, r.exponential.fraction, r.total)
        for i, total in enumerate(totals):
            with m.If(self.advance & p.valid & (p.state == i)):
                m.d.sync += total.eq(Mux(p.empty, 0, Mux(p.first, one, Mux(p.grew, shrunk, longer))))
        s = pipe.stage(state=p.state)
        m.d.comb += self.total.eq(select(totals, s.state))
        pipe.require_depth("online_sum", r.latency)
        return m

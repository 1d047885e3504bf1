"""The exponential unit in RTL."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from amaranth import Const, Module, Mux, Value
from amaranth.lib import wiring

from hwsim.rtl.exp import power_tables
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.exp.golden import log2e_code
from hwsim.rtl.fixed_point import extend, recode
from hwsim.rtl.stream_blocks.piecewise import evaluate
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.stream_blocks.rom import read_rom
from hwsim.rtl.streams import port_members


class Exp(wiring.Component):
    """One argument a cycle."""

    def __init__(self, contract: ExpContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, advances(self.y))
        m.d.comb += self.x.ready.eq(pipe.advance)
        s = self._read_tables(m, pipe) if c.method == "tables" else self._evaluate(m, pipe)
        out = pipe.stage(valid=s.valid, y=recode(s.power, c.working_fraction, c.result))
        out = pipe.stages(c.output_stages, valid=out.valid, y=out.y)
        pipe.require_depth(c.block, c.latency)
        m.d.comb += [self.y.valid.eq(out.valid), self.y.payload.value.eq(out.y)]
        return m

    def _evaluate(self, m: Module, pipe: Pipeline) -> SimpleNamespace:
        """A power of 2 by a polynomial, and a shift."""
        c, p = self.contract, self.contract.table
        x = self.x.payload.value
        highest = Const((1 << c.magnitude_bits) - 1, c.magnitude_bits)
        magnitude = Mux(x > 0, 0, Mux(-x > highest, highest, -x))
        a = pipe.stage(valid=self.x.valid, magnitude=magnitude[: c.magnitude_bits])
        exponent = (a.magnitude * Const(log2e_code(c))) >> (c.argument.fraction + c.log2e_fraction - c.working_fraction)
        b = pipe.stage(valid=a.valid, exponent=exponent[: c.exponent_bits])

        segment, rest = b.exponent[p.rest_bits : c.working_fraction], b.exponent[: p.rest_bits]
        power, g = evaluate(m, pipe, p, segment, rest, valid=b.valid, k=b.exponent[c.working_fraction :])
        h = pipe.stage(valid=g.valid, shifted=power >> g.k)
        return SimpleNamespace(valid=h.valid, power=h.shifted)

    def _read_tables(self, m: Module, pipe: Pipeline) -> SimpleNamespace:
        """A power of e at a multiple of 1/8, which grows by what comes after it (`power_tables`)."""
        c, t = self.contract, power_tables
        x = extend(self.x.payload.value, c.magnitude_bits + 1)
        lowest = -(1 << c.magnitude_bits)
        a = pipe.stage(valid=self.x.valid, above=x[: c.magnitude_bits], one=x >= 0, none=x <= lowest)
        rest_bits = c.argument.fraction - t.STEP_LOG2
        fine_bits = max(0, c.argument.fraction - t.COARSE_FRACTION)
        rest = a.above[:rest_bits]
        coarse = _read(m, pipe, "coarse", t.coarse_growth(), rest[fine_bits:], rest_bits - fine_bits)
        fine = _read(m, pipe, "fine", t.fine_growth(), rest[:fine_bits], fine_bits)
        power = read_rom(m, "powers", t.powers()[:-1].tolist(), t.POWER_FRACTION + 1, a.above[rest_bits:], pipe)
        b = pipe.stage(valid=a.valid, one=a.one, none=a.none)

        power = Mux(b.one, 1 << t.POWER_FRACTION, Mux(b.none, 0, power))
        d = pipe.stage(
            valid=b.valid, one=b.one, power=power, product=(coarse * fine) >> t.SUM_FRACTION, total=coarse + fine
        )
        growth = ((d.product + d.total) >> (t.SUM_FRACTION - t.GROWTH_FRACTION))[: t.GROWTH_FRACTION - t.STEP_LOG2 + 1]
        g = pipe.stage(valid=d.valid, power=d.power, growth=Mux(d.one, 0, growth))
        h = pipe.stage(valid=g.valid, power=g.power, grown=(g.power * g.growth) >> t.GROWTH_FRACTION)
        return SimpleNamespace(valid=h.valid, power=h.power + h.grown)


def _read(m: Module, pipe: Pipeline, name: str, rows: Sequence[int], address: Value, bits: int) -> Value:
    """The row at an address of `bits` bits, a cycle later; of more rows, those at equal distances."""
    if not bits:
        return Const(rows[0], 1)  # of 0, which does not grow
    return read_rom(m, name, rows[:: len(rows) >> bits], max(rows).bit_length(), address, pipe)

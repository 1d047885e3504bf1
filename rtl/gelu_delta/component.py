"""The GELU unit in RTL: a table and an interpolation for each lane."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.gelu_delta.contract import GeluDeltaContract
from hwsim.rtl.gelu_delta.table import delta_codes
from hwsim.rtl.instances import add_instance
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.stream_blocks.rom import read_rom
from hwsim.rtl.streams import port_members, shape_of


class GeluDelta(wiring.Component):
    """`lanes` equal units that advance together."""

    def __init__(self, contract: GeluDeltaContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        advance, part = Signal(), GeluLane(c)
        results = Signal(data.ArrayLayout(shape_of(c.value), c.lanes))
        m.d.comb += [advance.eq(advances(self.y)), self.x.ready.eq(advance)]
        for i in range(c.lanes):
            lane = add_instance(m, f"lane_{i}", "gelu_lane", part)
            m.d.comb += [lane.advance.eq(advance), lane.x.eq(self.x.payload.values[i]), results[i].eq(lane.y)]
        pipe = Pipeline(m, advance)
        last = pipe.stages(c.latency, valid=self.x.valid)
        m.d.comb += [self.y.valid.eq(last.valid), self.y.payload.values.eq(results)]
        return m


class GeluLane(wiring.Component):
    """One value a cycle, while `advance`."""

    def __init__(self, contract: GeluDeltaContract) -> None:
        self.contract = contract
        value = shape_of(contract.value)
        super().__init__({"advance": In(1), "x": In(value), "y": Out(value)})

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, self.advance)
        negative = self.x < 0
        # the magnitude of the smallest argument also needs the sign's bit
        magnitude = Mux(negative, -self.x, self.x).as_unsigned()[: c.value.width]
        a = pipe.stage(magnitude=magnitude, positive=Mux(negative, 0, self.x))

        index, rest = a.magnitude[c.rest_bits :], a.magnitude[: c.rest_bits]
        row = self._read_table(m, index, pipe)
        b = pipe.stage(rest=rest, inside=index < c.limit_steps, positive=a.positive)

        d = pipe.stage(product=row.slope * b.rest, base=row.base, inside=b.inside, positive=b.positive)
        e = pipe.stage(delta=Mux(d.inside, d.base + (d.product >> c.rest_bits), 0), positive=d.positive)
        below = recode(e.delta, c.delta.fraction, c.value)
        f = pipe.stage(y=recode(e.positive - below, c.value.fraction, c.value))
        out = pipe.stages(c.output_stages, y=f.y)
        pipe.require_depth(c.block, c.latency)
        m.d.comb += self.y.eq(out.y)
        return m

    def _read_table(self, m: Module, index: Any, pipe: Pipeline) -> Any:
        """Entry and difference to the next, in one row."""
        c, codes = self.contract, delta_codes(self.contract)
        width = c.delta.width
        layout = data.StructLayout({"base": width, "slope": signed(width + 1)})
        slopes = [after - here for here, after in pairwise(codes)]
        rows = [(slope << width) | here for here, slope in zip(codes, slopes)]
        return data.View(layout, read_rom(m, "table", rows, 2 * width + 1, index, pipe))

"""The writer: gives results their address and, if requested, adds them to a destination."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.instances import add_instance
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import payload_layout, shape_of


class TokenWriter(wiring.Component):
    """Joins out tiles with the number of their token and, if requested, with score and destination.

    Members
    -------
    command : the fields of the running command
    tile : out tiles of the tokens
    number : of each token
    score, dst, y : the block's streams
    """

    def __init__(self, contract: LinearContract) -> None:
        c = self.contract = contract
        self.layouts = layouts = {port.name: payload_layout(port) for port in c.ports}
        super().__init__(
            {
                "command": In(layouts["command"]),
                "tile": In(stream.Signature(layouts["dst"])),
                "number": In(stream.Signature(layouts["fetch"])),
                "score": In(stream.Signature(layouts["score"])),
                "dst": In(stream.Signature(layouts["dst"])),
                "y": Out(stream.Signature(layouts["y"])),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        use_score, use_expert, moves, joined = self.command.use_score, self.command.use_expert, Signal(), Signal()
        place = Signal(range(max(c.max_out_tiles, 2)))
        closes = place == self.command.out_tiles - 1
        m.d.comb += [
            moves.eq(advances(self.y)),
            joined.eq(moves & self.tile.valid & self.number.valid & (~use_score | (self.score.valid & self.dst.valid))),
            self.tile.ready.eq(joined),
            self.dst.ready.eq(joined & use_score),
            # a token's number and score are kept for all its tiles
            self.number.ready.eq(joined & closes),
            self.score.ready.eq(joined & closes & use_score),
        ]
        with m.If(joined):
            m.d.sync += place.eq(Mux(closes, 0, place + 1))

        address = {"token": self.number.payload.token, "tile": place}
        scoring = Pipeline(m, moves)
        scored = scoring.stages(c.score_stages, valid=joined & use_score, **address)
        scored.values = self._add_scored(m, moves)
        plain = SimpleNamespace(valid=joined & ~use_score, values=self.tile.payload.values.as_value(), **address)
        scattered = Pipeline(m, moves).stages(
            c.scatter_stages, **{**vars(plain), "valid": joined & use_expert & ~use_score}
        )
        # only one command is in the unit, so only one of the paths carries results
        chosen = {
            name: Mux(use_score, getattr(scored, name), Mux(use_expert, getattr(scattered, name), value))
            for name, value in vars(plain).items()
        }
        out = Pipeline(m, moves).stages(c.write_stages, **chosen)
        m.d.comb += [
            self.y.valid.eq(out.valid),
            self.y.payload.values.as_value().eq(out.values),
            self.y.payload.token.eq(out.token),
            self.y.payload.tile.eq(out.tile),
        ]
        return m

    def _add_scored(self, m: Module, moves: Any) -> Any:
        """`dst + score * y` of each lane, `score_stages` later."""
        c, part = self.contract, ScoreLane(self.contract)
        sums = Signal(data.ArrayLayout(shape_of(c.accumulator), c.out_lanes))
        for i in range(c.out_lanes):
            lane = add_instance(m, f"lane_{i}", "score_lane", part)
            m.d.comb += [
                lane.advance.eq(moves),
                lane.y.eq(self.tile.payload.values[i]),
                lane.dst.eq(self.dst.payload.values[i]),
                lane.score.eq(self.score.payload.value),
                sums[i].eq(lane.sum),
            ]
        return sums


class ScoreLane(wiring.Component):
    """`dst + score * y`, one a cycle, while `advance`."""

    def __init__(self, contract: LinearContract) -> None:
        c = self.contract = contract
        value = shape_of(c.accumulator)
        super().__init__(
            {"advance": In(1), "y": In(value), "dst": In(value), "score": In(shape_of(c.score)), "sum": Out(value)}
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, self.advance)
        # registers at the operands if there is a stage for them, so that a tool can move them into the multipliers
        held = pipe.stages(min(1, c.score_stages - 2), y=self.y, dst=self.dst, score=self.score)
        product = recode(held.score * held.y, c.score.fraction + c.accumulator.fraction, c.accumulator)
        added = pipe.stage(product=product, dst=held.dst)
        total = pipe.stage(sum=recode(added.dst + added.product, c.accumulator.fraction, c.accumulator))
        out = pipe.stages(c.score_stages - pipe.depth, sum=total.sum)
        pipe.require_depth(c.block, c.score_stages)
        m.d.comb += self.sum.eq(out.sum)
        return m

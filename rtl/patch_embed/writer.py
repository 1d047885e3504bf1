"""The writer: sums of a tile leave beat by beat, each with its position."""

from __future__ import annotations

from typing import Any

from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import payload_layout, shape_of


class TokenWriter(wiring.Component):
    """Passes on the class token's row, then adds positions to the sums of a command's stripes.

    Members
    -------
    start, stripes, class_token : a command was taken
    copying : the class token's row has not passed
    done : nothing of the command is left
    sums : of the tiles of features
    position, y : the block's streams
    """

    def __init__(self, contract: PatchEmbedContract) -> None:
        c = self.contract = contract
        ports = {port.name: payload_layout(port) for port in c.ports}
        super().__init__(
            {
                "start": In(1),
                "stripes": In(range(c.max_stripes + 1)),
                "class_token": In(1),
                "copying": Out(1),
                "done": Out(1),
                "sums": In(stream.Signature(payload_layout(c.tile.ports[-1]))),
                "position": In(stream.Signature(ports["position"])),
                "y": Out(stream.Signature(ports["y"])),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        part, joined = Signal(range(max(c.tile_beats, 2))), Signal()
        closes = joined & (part == c.tile_beats - 1)
        self._count(m, part, joined, closes)

        holds, leaves = Signal(), Signal()  # a tile's sums wait until the last of their beats leaves
        hold = Pipeline(m, ~holds | leaves)
        held = hold.stage(valid=self.sums.valid, values=self.sums.payload)
        m.d.comb += [
            self.sums.ready.eq(hold.advance),
            holds.eq(held.valid),
            leaves.eq(closes & ~self.copying),
        ]
        pipe = Pipeline(m, advances(self.y))
        m.d.comb += [
            joined.eq(pipe.advance & self.position.valid & (self.copying | held.valid)),
            self.position.ready.eq(joined),
        ]
        beat = held.values.as_value().word_select(part, c.beat_values * c.accumulator.width)
        out = pipe.stages(1 + c.output_stages, valid=joined, values=self._add(m, beat))
        m.d.comb += [self.y.valid.eq(out.valid), self.y.payload.values.eq(out.values)]
        return m

    def _count(self, m: Module, part: Signal, joined: Value, closes: Value) -> None:
        """Count the beats of a tile, the tiles of a token, the tokens of a stripe, the stripes."""
        c = self.contract
        tile, token = Signal(range(max(c.out_tiles, 2))), Signal(range(max(c.stripe_patches, 2)))
        left = Signal.like(self.stripes)
        last_tile, last_token = tile == c.out_tiles - 1, token == c.stripe_patches - 1
        m.d.comb += self.done.eq((left == 0) & ~self.copying)
        with m.If(joined):
            m.d.sync += part.eq(Mux(closes, 0, part + 1))
        with m.If(closes):
            m.d.sync += tile.eq(Mux(last_tile, 0, tile + 1))
        with m.If(closes & last_tile):
            m.d.sync += self.copying.eq(0)
            with m.If(~self.copying):
                m.d.sync += [token.eq(Mux(last_token, 0, token + 1)), left.eq(left - last_token)]
        with m.If(self.start):
            m.d.sync += [left.eq(self.stripes), self.copying.eq(self.class_token)]

    def _add(self, m: Module, beat: Value) -> Signal:
        """A beat of sums, or of zeros, plus the positions."""
        c, acc = self.contract, self.contract.accumulator
        values = Signal(data.ArrayLayout(shape_of(acc), c.beat_values))
        sums = data.View(values.shape(), Mux(self.copying, Const(0, len(beat)), beat))
        for i in range(c.beat_values):
            position = recode(self.position.payload.values[i], c.position.fraction, acc)
            m.d.comb += values[i].eq(recode(sums[i] + position, acc.fraction, acc))
        return values

"""The patch embedding in RTL: stripes, weights and walk feed a tile of multipliers; the writer adds positions."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring

from hwsim.rtl.mac_tile.component import MacTile
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.patch_embed.walk import PatchWalk
from hwsim.rtl.patch_embed.weights import ResidentWeights
from hwsim.rtl.patch_embed.writer import TokenWriter
from hwsim.rtl.stream_blocks.double_buffer import DoubleBuffer
from hwsim.rtl.streams import port_members


class PatchEmbed(wiring.Component):
    """Runs one command at a time; only pixels run ahead."""

    def __init__(self, contract: PatchEmbedContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m, command = self.contract, Module(), self.command.payload
        m.submodules.weights = weights = ResidentWeights(c)
        m.submodules.stripes = stripes = DoubleBuffer(c.beat_pixels * c.pixel.width, c.stripe_beats)
        m.submodules.walk = walk = PatchWalk(c)
        m.submodules.tile = tile = MacTile(c.tile)
        m.submodules.writer = writer = TokenWriter(c)
        for name, part in (("w", weights), ("bias", weights), ("position", writer), ("y", writer)):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(part, name))
        wiring.connect(m, tile.y, writer.sums)
        self._take_pixels(m, stripes)

        busy, start, done = Signal(), Signal(), Signal()
        m.d.comb += [
            self.command.ready.eq(~busy),
            start.eq(self.command.valid & ~busy),
            done.eq(~weights.loading & walk.done & writer.done),
            weights.start.eq(start & command.load),
            walk.start.eq(start),
            walk.stripes.eq(command.stripes),
            writer.start.eq(start),
            writer.stripes.eq(command.stripes),
            writer.class_token.eq(command.class_token),
        ]
        with m.If(start):
            m.d.sync += busy.eq(1)
        with m.Elif(done):
            m.d.sync += busy.eq(0)

        moves, issue = Signal(), Signal()
        ready = busy & ~weights.loading & ~writer.copying & stripes.loaded & ~walk.done
        m.d.comb += [
            issue.eq(ready & moves & self._may_iterate(m, start, issue)),
            walk.step.eq(issue),
            weights.enable.eq(issue),
            weights.row.eq(walk.row),
            weights.tile.eq(walk.tile),
            stripes.enable.eq(issue),
            stripes.address.eq(walk.beat),
            stripes.release.eq(issue & walk.ends_stripe),
        ]
        valid, last, part = Signal(), Signal(reset_less=True), Signal.like(walk.part, reset_less=True)
        with m.If(moves):
            m.d.sync += [valid.eq(issue), last.eq(walk.last), part.eq(walk.part)]
        m.d.comb += [
            moves.eq(~valid | tile.x.ready),
            tile.x.valid.eq(valid),
            tile.x.payload.values.as_value().eq(stripes.word.word_select(part, c.in_lanes * c.pixel.width)),
            tile.x.payload.last.eq(last),
            tile.w.valid.eq(valid),
            tile.w.payload.eq(weights.weights),
            tile.bias.valid.eq(valid),
            tile.bias.payload.eq(weights.biases),
        ]
        return m

    def _take_pixels(self, m: Module, stripes: DoubleBuffer) -> None:
        """Beats of pixels into the banks, a stripe into each."""
        c = self.contract
        beat = Signal(range(max(c.stripe_beats, 2)))
        last = beat == c.stripe_beats - 1
        m.d.comb += [
            stripes.load.valid.eq(self.pixels.valid),
            stripes.load.payload.word.eq(self.pixels.payload),
            stripes.load.payload.last.eq(last),
            self.pixels.ready.eq(stripes.load.ready),
        ]
        with m.If(self.pixels.valid & self.pixels.ready):
            m.d.sync += beat.eq(Mux(last, 0, beat + 1))

    def _may_iterate(self, m: Module, start: Value, issue: Value) -> Value:
        """Whether `interval` cycles have passed since the last iteration of the command."""
        wait = Signal(range(self.contract.interval))
        with m.If(start):
            m.d.sync += wait.eq(0)
        with m.Elif(issue):
            m.d.sync += wait.eq(self.contract.interval - 1)
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        return wait == 0

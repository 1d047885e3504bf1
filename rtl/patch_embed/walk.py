"""The order of computation: patch > tile of features > channel > row > word of pixels, without a multiplication."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.patch_embed.contract import PatchEmbedContract


class PatchWalk(wiring.Component):
    """Counts through the iterations of a command's stripes.

    A beat of pixels holds whole patch rows, so the pixels of a patch lie at the same place in each image row of it.

    Members
    -------
    start, stripes : a command with that many stripes was taken
    step : go on to the next iteration
    beat, part : the beat of pixels in the stripe, and the word of `in_lanes` pixels in the beat
    row, tile : the row of weights, and the tile of features
    last : the iteration completes the sums of a tile
    ends_stripe : it is the last of the stripe
    done : all stripes have passed
    """

    def __init__(self, contract: PatchEmbedContract) -> None:
        c = self.contract = contract
        self.words = c.patch // c.in_lanes  # of a patch row
        super().__init__(
            {
                "start": In(1),
                "stripes": In(range(c.max_stripes + 1)),
                "step": In(1),
                "beat": Out(range(max(c.stripe_beats, 2))),
                "part": Out(range(max(c.beat_pixels // c.in_lanes, 2))),
                "row": Out(range(max(c.out_tiles * c.in_tiles, 2))),
                "tile": Out(range(max(c.out_tiles, 2))),
                "last": Out(1),
                "ends_stripe": Out(1),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        left = Signal(range(c.max_stripes + 1))
        line, line_beat = Signal(range(max(c.channels * c.patch, 2))), Signal.like(self.beat)  # image row, its beat
        patch_beat, patch_part = Signal(range(max(c.row_beats, 2))), Signal.like(self.part)  # the patch in its row
        word = Signal(range(max(self.words, 2)))
        ends_line, last_line = word == self.words - 1, line == c.channels * c.patch - 1
        last_tile = self.tile == c.out_tiles - 1
        beat_ends, row_ends = patch_part == c.beat_pixels // c.in_lanes - self.words, patch_beat == c.row_beats - 1
        ends_patch = self.last & last_tile
        m.d.comb += [
            self.beat.eq(line_beat + patch_beat),
            self.part.eq(patch_part + word),
            self.last.eq(ends_line & last_line),
            self.ends_stripe.eq(ends_patch & beat_ends & row_ends),
            self.done.eq(left == 0),
        ]
        with m.If(self.step):
            m.d.sync += [word.eq(Mux(ends_line, 0, word + 1)), self.row.eq(Mux(ends_patch, 0, self.row + 1))]
            with m.If(ends_line):
                m.d.sync += [
                    line.eq(Mux(last_line, 0, line + 1)),
                    line_beat.eq(Mux(last_line, 0, line_beat + c.row_beats)),
                ]
            with m.If(self.last):
                m.d.sync += self.tile.eq(Mux(last_tile, 0, self.tile + 1))
            with m.If(ends_patch):
                m.d.sync += patch_part.eq(Mux(beat_ends, 0, patch_part + self.words))
                with m.If(beat_ends):
                    m.d.sync += patch_beat.eq(Mux(row_ends, 0, patch_beat + 1))
            with m.If(self.ends_stripe):
                m.d.sync += left.eq(left - 1)
        with m.If(self.start):
            m.d.sync += left.eq(self.stripes)
        return m

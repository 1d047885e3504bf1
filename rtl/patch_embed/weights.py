"""Weights and biases that stay on the chip: a memory for each feature of a tile, so that a cycle reads all of them."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwsim.rtl.instances import add_instance
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.streams import payload_layout


class ResidentWeights(wiring.Component):
    """Loads all weights in their order in memory, feature by feature; then serves rows of `out_lanes` features.

    Members
    -------
    start : load anew
    loading : the load has not ended
    w, bias : the block's streams
    enable, row, tile : read row `row` of all memories, and the biases of `tile`
    weights, biases : what was read, from the next cycle on
    """

    def __init__(self, contract: PatchEmbedContract) -> None:
        c = self.contract = contract
        self.rows = c.out_tiles * c.in_tiles
        ports = {port.name: payload_layout(port) for port in c.ports}
        super().__init__(
            {
                "start": In(1),
                "loading": Out(1),
                "w": In(stream.Signature(ports["w"])),
                "bias": In(stream.Signature(ports["bias"])),
                "enable": In(1),
                "row": In(range(max(self.rows, 2))),
                "tile": In(range(max(c.out_tiles, 2))),
                "weights": Out(c.out_lanes * c.in_lanes * c.weight.width),
                "biases": Out(c.out_lanes * c.bias.width),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        missing = self._load_weights(m)
        tiles = self._load_biases(m)
        m.d.comb += self.loading.eq(missing | (tiles != 0))
        return m

    def _load_weights(self, m: Module) -> Signal:
        """Beats of a feature go to rows one after the other, of the memory of its place in the tile."""
        c, part = self.contract, WeightBank(self.contract, self.rows)
        missing = Signal()
        beat, lane = Signal(range(max(c.in_tiles, 2))), Signal(range(max(c.out_lanes, 2)))
        row, first_row = Signal.like(self.row), Signal.like(self.row)  # of the beat, and of its tile
        came = self.w.valid & self.w.ready
        ends_feature, ends_tile = beat == c.in_tiles - 1, lane == c.out_lanes - 1
        m.d.comb += self.w.ready.eq(missing)
        with m.If(came):
            m.d.sync += [beat.eq(Mux(ends_feature, 0, beat + 1)), row.eq(row + 1)]
            with m.If(ends_feature):
                m.d.sync += [lane.eq(Mux(ends_tile, 0, lane + 1)), row.eq(first_row)]
                with m.If(ends_tile):
                    m.d.sync += [row.eq(row + 1), first_row.eq(row + 1), missing.eq(row != self.rows - 1)]
        with m.If(self.start):
            m.d.sync += [missing.eq(1), row.eq(0), first_row.eq(0)]
        read = []
        for i in range(c.out_lanes):
            bank = add_instance(m, f"bank_{i}", "weight_bank", part)
            m.d.comb += [
                bank.write.eq(came & (lane == i)),
                bank.written.eq(row),
                bank.weights.eq(self.w.payload),
                bank.enable.eq(self.enable),
                bank.row.eq(self.row),
            ]
            read.append(bank.word)
        m.d.comb += self.weights.eq(Cat(*read))
        return missing

    def _load_biases(self, m: Module) -> Signal:
        """Biases come beside the weights; return how many tiles' are missing."""
        c = self.contract
        m.submodules.biases = memory = Memory(shape=len(self.biases), depth=c.out_tiles, init=[])
        into, out = memory.write_port(), memory.read_port()
        tiles, place = Signal(range(c.out_tiles + 1)), Signal.like(self.tile)
        came = self.bias.valid & self.bias.ready
        m.d.comb += [
            self.bias.ready.eq(tiles != 0),
            into.addr.eq(place),
            into.data.eq(self.bias.payload),
            into.en.eq(came),
            out.addr.eq(self.tile),
            out.en.eq(self.enable),
            self.biases.eq(out.data),
        ]
        with m.If(came):
            m.d.sync += [tiles.eq(tiles - 1), place.eq(place + 1)]
        with m.If(self.start):
            m.d.sync += [tiles.eq(c.out_tiles), place.eq(0)]
        return tiles


class WeightBank(wiring.Component):
    """The weights of every `out_lanes`-th feature."""

    def __init__(self, contract: PatchEmbedContract, rows: int) -> None:
        self.rows = rows
        self.bits = contract.in_lanes * contract.weight.width
        place = range(max(rows, 2))
        super().__init__(
            {
                "write": In(1),
                "written": In(place),
                "weights": In(self.bits),
                "enable": In(1),
                "row": In(place),
                "word": Out(self.bits),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=self.bits, depth=self.rows, init=[])
        into, out = memory.write_port(), memory.read_port()
        m.d.comb += [
            into.addr.eq(self.written),
            into.data.eq(self.weights),
            into.en.eq(self.write),
            out.addr.eq(self.row),
            out.en.eq(self.enable),
            self.word.eq(out.data),
        ]
        return m

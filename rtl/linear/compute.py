"""The order of computation: token > out tile > in tile, with the buffers that feed the multipliers."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.linear.loader import GroupLoader
from hwsim.rtl.mac_tile.component import MacTile
from hwsim.rtl.streams import payload_layout, shape_of


class TileCompute(wiring.Component):
    """Walks through a command's tiles; sums leave by `sums`.

    Members
    -------
    start, tokens : a command with that many tokens was taken
    command : its fields, from the next cycle on
    tile : in tiles of the tokens, each once
    w, bias : the block's streams
    finished : the last tile was read, or there was none to read: the banks are released
    """

    def __init__(self, contract: LinearContract) -> None:
        c = self.contract = contract
        self.layouts = layouts = {port.name: payload_layout(port) for port in c.ports}
        super().__init__(
            {
                "start": In(1),
                "tokens": In(shape_of(c.count_tokens)),
                "command": In(layouts["command"]),
                "tile": In(stream.Signature(layouts["x"])),
                "w": In(stream.Signature(layouts["w"])),
                "bias": In(stream.Signature(layouts["bias"])),
                "sums": Out(stream.Signature(layouts["dst"])),
                "finished": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        weights = GroupLoader(c.in_lanes * c.weight.width, c.out_lanes, c.weight_words)
        biases = GroupLoader(c.out_lanes * c.bias.width, 1, c.max_out_tiles)
        m.submodules.weights, m.submodules.biases = weights, biases
        for banks, load in ((weights, self.w), (biases, self.bias)):
            m.d.comb += [
                banks.load.valid.eq(load.valid),
                banks.load.payload.row.eq(load.payload.values),
                banks.load.payload.last.eq(load.payload.last),
                load.ready.eq(banks.load.ready),
                banks.release.eq(self.finished),
            ]
        m.submodules.walk = walk = TileWalk(c)
        fresh, last_in = walk.out_tile == 0, walk.in_tile == self.command.in_tiles - 1
        busy, loaded, moves, issue = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            loaded.eq(busy & weights.loaded & biases.loaded),
            # inputs arrive with the first out tile; for later out tiles they are read from memory
            self.tile.ready.eq(loaded & ~walk.done & fresh & moves),
            issue.eq(loaded & ~walk.done & moves & (self.tile.valid | ~fresh)),
            walk.start.eq(self.start),
            walk.tokens.eq(self.tokens),
            walk.command.eq(self.command),
            walk.step.eq(issue),
            weights.enable.eq(issue),
            weights.address.eq(walk.word),
            biases.enable.eq(issue),
            biases.address.eq(walk.out_tile),
            self.finished.eq(Mux(walk.done, loaded, issue & walk.end)),
        ]
        with m.If(self.start | self.finished):
            m.d.sync += busy.eq(self.start)

        valid, last = Signal(), Signal(reset_less=True)
        m.submodules.tile = tile = MacTile(c.tile)
        with m.If(moves):
            m.d.sync += [valid.eq(issue), last.eq(last_in)]
        m.d.comb += [
            moves.eq(~valid | tile.x.ready),
            tile.x.valid.eq(valid),
            tile.x.payload.values.eq(self._inputs(m, issue, fresh, walk.in_tile)),
            tile.x.payload.last.eq(last),
            tile.w.valid.eq(valid),
            tile.w.payload.eq(weights.word),
            tile.bias.valid.eq(valid),
            tile.bias.payload.eq(biases.word),
        ]
        wiring.connect(m, tile.y, wiring.flipped(self.sums))
        return m

    def _inputs(self, m: Module, issue: Any, fresh: Any, place: Any) -> Any:
        """A token's in tile, a cycle later: the one that arrives now and is stored, or a stored one."""
        c = self.contract
        width = c.in_lanes * c.activation.width
        m.submodules.inputs = memory = Memory(shape=width, depth=c.max_in_tiles, init=[])
        write, read = memory.write_port(), memory.read_port()
        came, is_fresh = Signal(width, reset_less=True), Signal()
        m.d.comb += [
            write.en.eq(issue & fresh),
            write.addr.eq(place),
            write.data.eq(self.tile.payload),
            read.en.eq(issue & ~fresh),
            read.addr.eq(place),
        ]
        with m.If(issue):
            m.d.sync += [came.eq(self.tile.payload), is_fresh.eq(fresh)]
        return Mux(is_fresh, came, read.data)


class TileWalk(wiring.Component):
    """Counts through a command's tiles, in tiles fastest, tokens slowest.

    Members
    -------
    start, tokens : start again, with that many tokens
    command : the number of tiles
    step : go on to the next
    in_tile, out_tile, word : position of the walk; `word` counts the tiles of weights
    end : this is the last tile of the last token
    done : all tokens have passed
    """

    def __init__(self, contract: LinearContract) -> None:
        c = self.contract = contract
        super().__init__(
            {
                "start": In(1),
                "tokens": In(shape_of(c.count_tokens)),
                "command": In(payload_layout(c.ports[0])),
                "step": In(1),
                "in_tile": Out(range(max(c.max_in_tiles, 2))),
                "out_tile": Out(range(max(c.max_out_tiles, 2))),
                "word": Out(range(max(c.weight_words, 2))),
                "end": Out(1),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        left = Signal.like(self.tokens)
        last_in, last_out = self.in_tile == self.command.in_tiles - 1, self.out_tile == self.command.out_tiles - 1
        m.d.comb += [self.done.eq(left == 0), self.end.eq(last_in & last_out & (left == 1))]
        with m.If(self.step):
            m.d.sync += [self.in_tile.eq(self.in_tile + 1), self.word.eq(self.word + 1)]
            with m.If(last_in):
                m.d.sync += [self.in_tile.eq(0), self.out_tile.eq(self.out_tile + 1)]
                with m.If(last_out):
                    m.d.sync += [self.out_tile.eq(0), self.word.eq(0), left.eq(left - 1)]
        with m.If(self.start):
            m.d.sync += left.eq(self.tokens)
        return m

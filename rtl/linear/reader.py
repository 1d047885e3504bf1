"""The reader: requests tokens and takes their inputs."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.stream_blocks.fifo import StreamFifo
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.streams import payload_layout, shape_of


class TokenReader(wiring.Component):
    """Sends the number of each token to `fetch` and to the writer's queue, then takes its in tiles.

    Members
    -------
    start, tokens : a command with that many tokens was taken
    command : its fields, from the next cycle on
    index, x, fetch : the block's streams
    number : the same tokens as on `fetch`, for the writer
    tile : the in tiles, after the in FIFO
    """

    def __init__(self, contract: LinearContract) -> None:
        c = self.contract = contract
        self.layouts = layouts = {port.name: payload_layout(port) for port in c.ports}
        super().__init__(
            {
                "start": In(1),
                "tokens": In(shape_of(c.count_tokens)),
                "command": In(layouts["command"]),
                "index": In(stream.Signature(layouts["index"])),
                "x": In(stream.Signature(layouts["x"])),
                "fetch": Out(stream.Signature(layouts["fetch"])),
                "number": Out(stream.Signature(layouts["fetch"])),
                "tile": Out(stream.Signature(layouts["x"])),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        fetched = self._fetch(m)
        m.submodules.in_fifo = queue = StreamFifo(self.layouts["x"], self.contract.in_fifo)
        wiring.connect(m, queue.y, wiring.flipped(self.tile))

        # a token's inputs are taken only after its fetch; otherwise the memory could bring them before they are written
        c, x = self.contract, self.x
        due, place = Signal(range(c.max_tokens + 1)), Signal(range(max(c.max_in_tiles, 2)))
        pipe_moves = Signal()
        taken = x.valid & x.ready
        closes = taken & (place == self.command.in_tiles - 1)
        m.d.comb += x.ready.eq((due != 0) & pipe_moves)
        m.d.sync += due.eq(due + fetched - closes)
        with m.If(taken):
            m.d.sync += place.eq(Mux(closes, 0, place + 1))
        pipe = Pipeline(m, pipe_moves)
        end = pipe.stages(c.read_stages, valid=x.valid & (due != 0), values=x.payload)
        m.d.comb += [
            queue.x.valid.eq(end.valid),
            queue.x.payload.eq(end.values),
            pipe_moves.eq(queue.x.ready | ~end.valid if c.read_stages else queue.x.ready),
        ]
        return m

    def _fetch(self, m: Module) -> Any:
        """Fetch tokens 0, 1, ... or those of `index`; return whether one is fetched."""
        c, use_expert = self.contract, self.command.use_expert
        missing = Signal(range(c.max_tokens + 1))  # tokens whose number is not known yet
        counted, fetched, pipe_moves = Signal(shape_of(c.token)), Signal(), Signal()
        indexed = use_expert & (missing != 0)
        m.d.comb += self.index.ready.eq(indexed & pipe_moves)
        pipe = Pipeline(m, pipe_moves)
        end = pipe.stages(c.gather_stages, valid=indexed & self.index.valid, token=self.index.payload.token)
        m.d.comb += [
            pipe_moves.eq(fetched | ~end.valid),
            self.fetch.valid.eq(Mux(use_expert, end.valid, missing != 0) & self.number.ready),
            self.fetch.payload.token.eq(Mux(use_expert, end.token, counted)),
            fetched.eq(self.fetch.valid & self.fetch.ready),
            # the queue takes exactly what the memory takes; otherwise reader and writer would count differently
            self.number.valid.eq(fetched),
            self.number.payload.eq(self.fetch.payload),
        ]
        with m.If(Mux(use_expert, self.index.valid & self.index.ready, fetched)):
            m.d.sync += [missing.eq(missing - 1), counted.eq(counted + 1)]
        with m.If(self.start):
            m.d.sync += [missing.eq(self.tokens), counted.eq(0)]
        return fetched

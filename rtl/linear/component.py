"""The unified linear unit in RTL: reader, compute and writer between FIFOs, and the command that they share."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring

from hwsim.rtl.gelu_delta.component import GeluDelta
from hwsim.rtl.linear.compute import TileCompute
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.linear.reader import TokenReader
from hwsim.rtl.linear.writer import TokenWriter
from hwsim.rtl.stream_blocks.fifo import ShortFifo, StreamFifo
from hwsim.rtl.streams import port_members


class Linear(wiring.Component):
    """Runs one command at a time; only loading runs ahead."""

    def __init__(self, contract: LinearContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        m.submodules.reader = reader = TokenReader(c)
        m.submodules.compute = compute = TileCompute(c)
        m.submodules.writer = writer = TokenWriter(c)
        m.submodules.out_fifo = out_fifo = ShortFifo(writer.layouts["dst"], c.out_fifo)
        m.submodules.index_fifo = index_fifo = StreamFifo(writer.layouts["fetch"], c.index_fifo)
        for name, part in (
            ("index", reader),
            ("x", reader),
            ("fetch", reader),
            ("w", compute),
            ("bias", compute),
            ("score", writer),
            ("dst", writer),
            ("y", writer),
        ):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(part, name))
        wiring.connect(m, reader.tile, compute.tile)
        wiring.connect(m, reader.number, index_fifo.x)
        wiring.connect(m, index_fifo.y, writer.number)
        wiring.connect(m, out_fifo.y, writer.tile)
        command = self._take_commands(m, compute.finished)
        for part in (reader, compute):
            m.d.comb += [
                part.start.eq(self.command.valid & self.command.ready),
                part.tokens.eq(self.command.payload.tokens),
            ]
        m.d.comb += [part.command.eq(command) for part in (reader, compute, writer)]
        self._switch_gelu(m, compute.sums, out_fifo.x, command.use_gelu)
        return m

    def _take_commands(self, m: Module, finished: Any) -> Any:
        """The running command; it ends when its last result is delivered or, without tokens, its weights are freed."""
        busy, command = Signal(), Signal(self.command.payload.shape(), reset_less=True)
        delivered = self.y.valid & self.y.ready & (self.y.payload.tile == command.out_tiles - 1)
        left = Signal.like(self.command.payload.tokens)
        m.d.comb += self.command.ready.eq(~busy)
        with m.If(self.command.valid & ~busy):
            m.d.sync += [busy.eq(1), command.eq(self.command.payload), left.eq(self.command.payload.tokens)]
        with m.Elif(delivered):
            m.d.sync += [left.eq(left - 1), busy.eq(left != 1)]
        with m.Elif(finished & (left == 0)):
            m.d.sync += busy.eq(0)
        return command

    def _switch_gelu(self, m: Module, sums: Any, sink: Any, use_gelu: Any) -> None:
        """Send sums to `sink` through GELU or past it; only one command is in the unit, so none overtakes another."""
        m.submodules.gelu = gelu = GeluDelta(self.contract.gelu)
        m.d.comb += [
            gelu.x.valid.eq(sums.valid & use_gelu),
            gelu.x.payload.eq(sums.payload),
            gelu.y.ready.eq(sink.ready),
            sums.ready.eq(Mux(use_gelu, gelu.x.ready, sink.ready)),
            sink.valid.eq(Mux(use_gelu, gelu.y.valid, sums.valid)),
            sink.payload.eq(Mux(use_gelu, gelu.y.payload, sums.payload)),
        ]

"""Layer norm in RTL: a pipeline for the statistics, a memory that keeps the tokens, a pipeline for the affine map."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.instances import add_instance
from hwsim.rtl.inverse_root.component import InverseRoot
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.layernorm.lanes import AffineLane, Moments
from hwsim.rtl.stream_blocks.double_buffer import DoubleBuffer
from hwsim.rtl.stream_blocks.pipeline import Pipeline, advances
from hwsim.rtl.streams import payload_layout, port_members, shape_of


class LayerNorm(wiring.Component):
    """Connects the two stages. The first waits only to deliver a token's statistics, the second only for them."""

    def __init__(self, contract: LayerNormContract) -> None:
        self.contract = contract
        self.statistics = Statistics(contract)
        self.affine = Affine(contract)
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        m, statistics, affine = Module(), self.statistics, self.affine
        m.submodules.statistics, m.submodules.affine = statistics, affine
        wiring.connect(m, wiring.flipped(self.x), statistics.x)
        wiring.connect(m, wiring.flipped(self.norm), affine.norm)
        wiring.connect(m, statistics.token, affine.token)
        m.d.comb += [affine.kept.eq(self.x.payload.values), affine.keep.eq(self.x.valid & self.x.ready)]
        wiring.connect(m, affine.y, wiring.flipped(self.y))
        return m


def token_layout(c: LayerNormContract) -> data.StructLayout:
    """The data about a token that the first stage passes to the second."""
    return data.StructLayout({"mean": shape_of(c.accumulator), "root": shape_of(c.root), "last": 1})


class Statistics(wiring.Component):
    """Mean and inverse root of the variance of each token, and whether it ends a sequence."""

    def __init__(self, contract: LayerNormContract) -> None:
        c = self.contract = contract
        x = next(port for port in c.ports if port.name == "x")
        super().__init__(
            {"x": In(stream.Signature(payload_layout(x))), "token": Out(stream.Signature(token_layout(c)))}
        )

    def elaborate(self, platform: Any) -> Module:
        c, acc, m = self.contract, self.contract.accumulator, Module()
        m.submodules.rsqrt = rsqrt = InverseRoot(c.rsqrt)
        advance = rsqrt.x.ready  # the root ends this stage, which advances or waits as a whole
        pipe = Pipeline(m, advance)
        m.d.comb += self.x.ready.eq(advance)

        beat = Signal(range(c.beats))
        closes = beat == c.beats - 1
        with m.If(advance & self.x.valid):
            m.d.sync += beat.eq(Mux(closes, 0, beat + 1))
        m.submodules.moments = moments = Moments(c)
        m.d.comb += [moments.advance.eq(advance), moments.x.eq(self.x.payload.values)]
        held = pipe.stages(
            2 * c.product_stages + c.tree_stages,
            valid=self.x.valid,
            first=beat == 0,
            closes=closes,
            last=self.x.payload.last,
        )
        m.d.comb += [moments.add.eq(advance & held.valid), moments.first.eq(held.first)]
        done = pipe.stage(valid=held.valid & held.closes, last=held.last)
        operand = pipe.stages(
            c.product_stages - 1, valid=done.valid, last=done.last, mean=moments.mean, of_squares=moments.of_squares
        )
        squared = pipe.stage(
            valid=operand.valid,
            last=operand.last,
            mean=operand.mean,
            of_squares=operand.of_squares,
            square=recode(operand.mean * operand.mean, 2 * acc.fraction, acc),
        )
        variance = recode(squared.of_squares - squared.square + c.epsilon, acc.fraction, acc)
        # the argument is unsigned: values that wrapped below 0 count as 0
        argument = Mux(variance < 0, 0, variance[: c.rsqrt.argument.width])
        end = pipe.stage(valid=squared.valid, last=squared.last, mean=squared.mean, argument=argument)
        m.d.comb += [rsqrt.x.valid.eq(end.valid), rsqrt.x.payload.value.eq(end.argument)]
        pipe.require_depth(c.block, c.moment_stages)
        beside = pipe.stages(c.rsqrt.latency, last=end.last, mean=end.mean)
        m.d.comb += [
            self.token.valid.eq(rsqrt.y.valid),
            rsqrt.y.ready.eq(self.token.ready),
            self.token.payload.root.eq(rsqrt.y.payload.value),
            self.token.payload.mean.eq(beside.mean),
            self.token.payload.last.eq(beside.last),
        ]
        return m


class Affine(wiring.Component):
    """Reads each token again once its statistics are ready, with the weights and biases of its sequence."""

    def __init__(self, contract: LayerNormContract) -> None:
        c = self.contract = contract
        ports = {port.name: payload_layout(port) for port in c.ports}
        self.norm_layout = ports["norm"]
        super().__init__(
            {
                "keep": In(1),  # a beat of x came
                "kept": In(data.ArrayLayout(shape_of(c.activation), c.lanes)),
                "token": In(stream.Signature(token_layout(c))),
                "norm": In(stream.Signature(ports["norm"])),
                "y": Out(stream.Signature(ports["y"])),
                "take": Out(1),  # a beat of x leaves the queue; used in proofs
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        pipe = Pipeline(m, advances(self.y))
        norms = self._norms(m)

        beat = Signal(range(c.beats))  # beat of the token that is read; 0 between tokens
        mean, root = Signal(shape_of(c.accumulator), reset_less=True), Signal(shape_of(c.root), reset_less=True)
        ends_sequence = Signal()
        starts = self.token.valid & norms.loaded & (beat == 0)
        reads, closes = starts | (beat != 0), beat == c.beats - 1
        last = Mux(beat == 0, self.token.payload.last, ends_sequence)
        m.d.comb += [
            self.token.ready.eq(pipe.advance & norms.loaded & (beat == 0)),
            norms.enable.eq(pipe.advance & reads),
            norms.address.eq(beat),
            norms.release.eq(norms.enable & closes & last),
        ]
        with m.If(norms.enable):
            m.d.sync += beat.eq(Mux(closes, 0, beat + 1))
        with m.If(self.token.valid & self.token.ready):
            m.d.sync += [
                mean.eq(self.token.payload.mean),
                root.eq(self.token.payload.root),
                ends_sequence.eq(self.token.payload.last),
            ]
        m.d.comb += self.take.eq(norms.enable)
        x = self._queue(m)

        end = pipe.stages(c.affine_latency, valid=reads)
        norm = data.View(self.norm_layout, norms.word)
        part = AffineLane(c)
        for i in range(c.lanes):
            lane = add_instance(m, f"lane_{i}", "affine_lane", part)
            m.d.comb += [
                lane.advance.eq(pipe.advance),
                lane.x.eq(x[i]),
                lane.mean.eq(mean),
                lane.root.eq(root),
                lane.weight.eq(norm.weight[i]),
                lane.bias.eq(norm.bias[i]),
                self.y.payload.values[i].eq(lane.y),
            ]
        m.d.comb += self.y.valid.eq(end.valid)
        return m

    def _norms(self, m: Module) -> DoubleBuffer:
        """Weights and biases of this sequence and of the next."""
        c = self.contract
        m.submodules.norms = norms = DoubleBuffer(self.norm_layout.size, c.beats)
        beat = Signal(range(c.beats))
        last = beat == c.beats - 1
        m.d.comb += [
            norms.load.valid.eq(self.norm.valid),
            norms.load.payload.word.eq(self.norm.payload),
            norms.load.payload.last.eq(last),
            self.norm.ready.eq(norms.load.ready),
        ]
        with m.If(self.norm.valid & self.norm.ready):
            m.d.sync += beat.eq(Mux(last, 0, beat + 1))
        return norms

    def _queue(self, m: Module) -> Any:
        """The beats of x in the order of arrival, a cycle after `take`; never full, see `queue_beats`."""
        c = self.contract
        layout = data.ArrayLayout(shape_of(c.activation), c.lanes)
        m.submodules.queue = memory = Memory(shape=layout, depth=c.queue_beats, init=[])
        write, read = memory.write_port(), memory.read_port()
        for name, port, moves in (("write", write, self.keep), ("read", read, self.take)):
            place = Signal(range(c.queue_beats), name=f"{name}_place")
            m.d.comb += [port.addr.eq(place), port.en.eq(moves)]
            with m.If(moves):
                m.d.sync += place.eq(Mux(place == c.queue_beats - 1, 0, place + 1))
        m.d.comb += write.data.eq(self.kept)
        return read.data

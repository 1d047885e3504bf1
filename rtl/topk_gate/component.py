"""The gate in RTL: products, then softmax and insertion logit by logit, then the queues."""

from __future__ import annotations

from typing import Any

from amaranth import Const, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out

from hwsim.rtl.instances import add_instance
from hwsim.rtl.mac_tile.component import MacTile
from hwsim.rtl.stream_blocks.expert_queues import ExpertQueues
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.streams import port_members
from hwsim.rtl.topk_gate.choice import GateChoice
from hwsim.rtl.topk_gate.contract import TopkGateContract


class TopkGate(wiring.Component):
    """Goes through its phases: a command, its weights, its tokens, its queues."""

    def __init__(self, contract: TopkGateContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        meta, entry = self.meta.payload.shape(), self.queue.payload.shape()
        m.submodules.dots = dots = GateDots(c)
        m.submodules.choice = choice = GateChoice(c)
        m.submodules.queues = queues = ExpertQueues(c.experts, c.max_tokens, meta, entry)
        for name in ("weights", "x"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(dots, name))
        for name in ("meta", "queue"):
            wiring.connect(m, getattr(queues, name), wiring.flipped(getattr(self, name)))

        tokens, given, token = (Signal(len(self.command.payload.tokens), name=n) for n in ("tokens", "given", "token"))
        starts = self.command.valid & self.command.ready
        m.d.comb += [
            choice.logits.valid.eq(dots.logits.valid),
            choice.logits.payload.eq(dots.logits.payload),
            dots.logits.ready.eq(choice.logits.ready),
            queues.push.eq(choice.chosen),
            queues.expert.eq(choice.expert),
            queues.entry.token.eq(token),
            queues.entry.score.eq(choice.score),
        ]
        with m.If(dots.taken):
            m.d.sync += given.eq(given + 1)
        with m.If(choice.chosen & choice.last):
            m.d.sync += token.eq(token + 1)
        with m.If(starts):
            m.d.sync += tokens.eq(self.command.payload.tokens)

        none, done = Signal(), Signal()
        loading, running, draining = (Signal(name=name) for name in ("loading", "running", "draining"))
        m.d.comb += [
            none.eq(tokens == 0),
            done.eq(choice.chosen & choice.last & (token == tokens - 1)),
            self.command.ready.eq(~(loading | running | draining)),
            dots.load.eq(loading),
            dots.enable.eq(running & (given != tokens)),
            queues.drain.eq(draining),
        ]
        if c.serial:
            with m.If(given != token):  # the token before does not stand in its queues yet
                m.d.comb += dots.enable.eq(0)
        with m.If(starts):
            m.d.sync += [
                given.eq(0),
                token.eq(0),
                loading.eq(self.command.payload.load),
                running.eq(~self.command.payload.load & (self.command.payload.tokens != 0)),
            ]
        with m.If(dots.loaded):
            m.d.sync += [loading.eq(0), running.eq(~none)]
        with m.If(done):
            m.d.sync += [running.eq(0), draining.eq(1)]
        with m.If(queues.drained):
            m.d.sync += draining.eq(0)
        return m


class GateDots(wiring.Component):
    """The weights in their memory, and the tile that multiplies tokens by them."""

    def __init__(self, contract: TopkGateContract) -> None:
        self.contract = contract
        ports = port_members(contract)
        super().__init__(
            {
                "weights": ports["weights"],
                "x": ports["x"],
                "logits": Out(port_members(contract.mac)["y"].signature),
                "load": Out(1).flip(),  # beats of weights are taken
                "loaded": Out(1),  # with the last one
                "enable": Out(1).flip(),  # beats of tokens are taken
                "taken": Out(1),  # with a token's last one
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        row = c.lanes * c.weight.width
        m.submodules.memory = memory = Memory(shape=unsigned(c.experts * row), depth=max(2, c.tiles), init=[])
        write, read = memory.write_port(granularity=row), memory.read_port(domain="sync")
        mac = add_instance(m, "mac", "mac_tile", MacTile(c.mac))
        pipe = Pipeline(m, ~mac.x.valid | mac.x.ready)
        tile, expert = Signal(range(max(2, c.tiles))), Signal(range(max(2, c.experts)))
        last, step, accept = Signal(), Signal(), Signal()
        m.d.comb += [
            accept.eq(self.enable & self.x.valid & pipe.advance),
            last.eq(tile == c.tiles - 1),
            step.eq(accept | (self.load & self.weights.valid)),
            self.x.ready.eq(self.enable & pipe.advance),
            self.taken.eq(accept & last),
            self.weights.ready.eq(self.load),
            self.loaded.eq(self.load & self.weights.valid & last & (expert == c.experts - 1)),
            write.addr.eq(tile),
            write.data.eq(self.weights.payload.as_value().replicate(c.experts)),
            write.en.eq(Mux(self.load & self.weights.valid, Const(1, c.experts) << expert, 0)),
            read.addr.eq(tile),
            read.en.eq(pipe.advance),
        ]
        with m.If(step):
            m.d.sync += tile.eq(Mux(last, 0, tile + 1))
        with m.If(self.load & self.weights.valid & last):
            m.d.sync += expert.eq(Mux(self.loaded, 0, expert + 1))
        held = pipe.stage(valid=accept, last=last, x=self.x.payload.values)
        m.d.comb += [
            mac.x.valid.eq(held.valid),
            mac.x.payload.values.eq(held.x),
            mac.x.payload.last.eq(held.last),
            mac.w.valid.eq(1),
            mac.w.payload.values.as_value().eq(read.data),
            mac.bias.valid.eq(1),
        ]
        wiring.connect(m, mac.y, wiring.flipped(self.logits))
        return m

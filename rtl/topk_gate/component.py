"""The gate in RTL: products, then softmax and insertion logit by logit, then the queues."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amaranth import Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out

from hwsim.rtl.divide.component import Divide
from hwsim.rtl.fixed_point import recode
from hwsim.rtl.instances import add_instance
from hwsim.rtl.inverse_root.component import InverseRoot
from hwsim.rtl.mac_tile.component import MacTile
from hwsim.rtl.online_sum.component import OnlineSum
from hwsim.rtl.stream_blocks.expert_queues import ExpertQueues
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.stream_blocks.top_k import TopK
from hwsim.rtl.streams import port_members, shape_of
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
            # serial: the token before stands in its queues
            dots.enable.eq(running & (given != tokens) & (given == token if c.serial else Const(1))),
            queues.drain.eq(draining),
        ]
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


class GateChoice(wiring.Component):
    """Takes a token's logits and gives its best experts and their scores, one a cycle. It never has to wait."""

    def __init__(self, contract: TopkGateContract) -> None:
        c = self.contract = contract
        super().__init__(
            {
                "logits": Out(port_members(c.mac)["y"].signature).flip(),
                "chosen": Out(1),
                "last": Out(1),  # the token's last choice
                "expert": Out(range(max(2, c.experts))),
                "score": Out(shape_of(c.score)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        s = self._sequence(m)
        moving = self._moves(m, s.busy)
        m.submodules.best = best = TopK(shape_of(c.accumulator), c.experts, c.top)
        m.submodules.sum = total = OnlineSum(c.recurrence)
        m.d.comb += [
            best.insert.eq(s.update),
            best.first.eq(s.expert == 0),
            best.value.eq(s.logit),
            best.index.eq(s.expert),
            total.advance.eq(moving),
            total.update.eq(s.update),
            total.first.eq(s.expert == 0),
            total.value.eq(Mux(s.choose, best.values[s.rank], s.logit)),
        ]
        pipe = Pipeline(m, moving)
        along = {"valid": s.choose, "last": s.last_rank, "expert": best.indices[s.rank]}
        summed = s.update & s.last_expert
        e = pipe.stages(1 + c.recurrence.exp.latency, **along, summed=summed)
        e = pipe.stages(c.recurrence.product_stages + 1, **vars(e), power=total.power)
        weigh = self._divide if c.probability == "quotient" else self._multiply
        e = weigh(m, pipe, e, total.total)
        out = pipe.stages(c.output_stages, **vars(e))
        pipe.require_depth(c.block, c.latency)
        m.d.comb += [
            self.chosen.eq(out.valid),
            self.last.eq(out.last),
            self.expert.eq(out.expert),
            self.score.eq(out.score),
        ]
        return m

    def _multiply(self, m: Module, pipe: Pipeline, e: SimpleNamespace, total: Value) -> SimpleNamespace:
        """The exponentials of a token's choices, times the inverse of the sum that came before them."""
        c = self.contract
        m.submodules.reciprocal = reciprocal = InverseRoot(c.reciprocal)
        m.d.comb += [
            reciprocal.x.valid.eq(1),
            reciprocal.x.payload.value.eq(total),
            reciprocal.y.ready.eq(pipe.advance),
        ]
        e = pipe.stages(c.reciprocal.latency, **vars(e))
        inverse = Signal(shape_of(c.inverse), reset_less=True)  # for the token whose choices come next
        with m.If(pipe.advance & e.summed):
            m.d.sync += inverse.eq(reciprocal.y.payload.value)
        e = pipe.stages(c.product_stages, valid=e.valid, last=e.last, expert=e.expert, product=e.power * inverse)
        score = recode(e.product, c.exponential.fraction + c.inverse.fraction, c.score)
        return pipe.stage(valid=e.valid, last=e.last, expert=e.expert, score=score)

    def _divide(self, m: Module, pipe: Pipeline, e: SimpleNamespace, total: Value) -> SimpleNamespace:
        """The exponentials of a token's choices, over the sum; it stays until the first logit of the next token."""
        c = self.contract
        m.submodules.divide = divide = Divide(c.divider)
        m.d.comb += [
            divide.x.valid.eq(1),
            divide.x.payload.numerator.eq(e.power),
            divide.x.payload.denominator.eq(total),
            divide.y.ready.eq(pipe.advance),
        ]
        e = pipe.stages(c.divider.latency, valid=e.valid, last=e.last, expert=e.expert)
        return SimpleNamespace(valid=e.valid, last=e.last, expert=e.expert, score=divide.y.payload.value)

    def _moves(self, m: Module, busy: Signal) -> Signal:
        """Whether the pipeline advances: only while something is in it, which saves power and changes no result."""
        moving, left = Signal(), Signal(range(self.contract.latency + 1))
        m.d.comb += moving.eq(busy | (left != 0))
        with m.If(busy):
            m.d.sync += left.eq(self.contract.latency)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return moving

    def _sequence(self, m: Module) -> SimpleNamespace:
        """The inputs of the softmax: the logits at their interval (`update`), then the best ones again (`choose`)."""
        c = self.contract
        logits = Signal(self.logits.payload.values.shape(), reset_less=True)
        busy, choose, update, last_expert, last_rank = (
            Signal(name=name) for name in ("busy", "choose", "update", "last_expert", "last_rank")
        )
        expert, rank = Signal(range(max(2, c.experts))), Signal(range(max(2, c.top)))
        early = Signal(range(max(2, c.logit_interval)))  # cycles until the next logit may enter
        m.d.comb += [
            update.eq(busy & ~choose & (early == 0)),
            last_expert.eq(expert == c.experts - 1),
            last_rank.eq(rank == c.top - 1),
            self.logits.ready.eq(~busy | (choose & last_rank)),
        ]
        with m.If(early != 0):
            m.d.sync += early.eq(early - 1)
        with m.If(update):
            m.d.sync += [
                logits.as_value().eq(logits.as_value() >> c.accumulator.width),
                expert.eq(Mux(last_expert, 0, expert + 1)),
                choose.eq(last_expert),
                early.eq(Mux(last_expert, 0, c.logit_interval - 1)),
            ]
        with m.If(choose):
            m.d.sync += rank.eq(Mux(last_rank, 0, rank + 1))
            with m.If(last_rank):
                m.d.sync += [choose.eq(0), busy.eq(0)]
        with m.If(self.logits.valid & self.logits.ready):
            m.d.sync += [logits.eq(self.logits.payload.values), busy.eq(1)]
        return SimpleNamespace(
            busy=busy,
            update=update,
            choose=choose,
            expert=expert,
            rank=rank,
            logit=logits[0],
            last_expert=last_expert,
            last_rank=last_rank,
        )

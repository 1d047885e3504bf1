"""Properties of the experts' queues."""

from __future__ import annotations

from typing import Any

from amaranth import Array, Const, Module, Mux, Signal, Value
from amaranth.hdl import Assert, Assume
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hwsim.rtl.stream_blocks.expert_queues import ExpertQueues


class ExpertQueuesProperties(wiring.Component):
    """Queues with free inputs, and a list per expert as their model.

    Asserted: `meta` names each expert that has entries once, in order, with their count; `queue` gives all entries,
    expert by expert, each list in order of arrival, so none is lost, doubled, changed or reordered; both mark the last
    beat correctly, and an offer stays until taken; `queue` is late by no more than its register. The queues are drained
    exactly when `meta` was taken and `queue` has at most the last entry left to offer.

    Assumed, as they require of their user: nothing is pushed from `drain` to `drained`; `drain` stays high until then
    and falls; an expert gets at most `max_tokens` pushes.
    """

    def __init__(self, queues: ExpertQueues) -> None:
        self.queues = queues
        members = queues.signature.members
        inputs = {name: members[name] for name in ("push", "expert", "entry", "drain")}
        super().__init__(inputs | {"take_meta": In(1), "take_entry": In(1)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.queues = q = self.queues
        m.d.comb += [getattr(q, name).eq(getattr(self, name)) for name in ("push", "expert", "entry", "drain")]
        m.d.comb += [q.meta.ready.eq(self.take_meta), q.queue.ready.eq(self.take_entry)]
        drained, draining = Signal(), Signal()  # in the cycle before
        m.d.sync += [drained.eq(q.drained), draining.eq(q.drain)]
        lengths, lists = self._model(m)
        m.d.comb += [
            Assume(~q.push | ~q.drain),
            Assume(~draining | (q.drain ^ drained)),
            Assume(~q.push | (q.expert < q.experts)),
            Assume(~q.push | (Array(lengths)[q.expert] < q.max_tokens)),
        ]
        named = self._check_meta(m, lengths)
        read = self._check_queue(m, lengths, lists, drained)
        m.d.comb += Assert(q.drained == (q.drain & named & read))
        self._check_offers(m)
        return m

    def _model(self, m: Module) -> tuple[list[Signal], list[Array[Signal]]]:
        """Each expert's number of entries, and the entries."""
        q = self.queues
        lengths = [Signal(range(q.max_tokens + 1), name=f"pushed_{e}") for e in range(q.experts)]
        lists = [
            Array(Signal(len(self._kept(q.entry)), name=f"entry_{e}_{i}") for i in range(q.max_tokens))
            for e in range(q.experts)
        ]
        with m.If(q.drained):
            m.d.sync += [length.eq(0) for length in lengths]
        with m.Elif(q.push), m.Switch(q.expert):
            for expert, length in enumerate(lengths):
                with m.Case(expert):
                    m.d.sync += [lists[expert][length].eq(self._kept(q.entry)), length.eq(length + 1)]
        return lengths, lists

    def _check_meta(self, m: Module, lengths: list[Signal]) -> Value:
        """Whether each expert that has entries was named."""
        q, meta = self.queues, self.queues.meta
        turn = Signal(range(q.experts + 1))  # the lowest expert that may be named next
        left = [(turn <= expert) & (length != 0) for expert, length in enumerate(lengths)]
        count = sum(left)
        with m.If(q.drained):
            m.d.sync += turn.eq(0)
        with m.Elif(meta.valid & meta.ready):
            m.d.sync += turn.eq(meta.payload.expert + 1)
        expected: Value = Const(0)
        for expert in reversed(range(q.experts)):
            expected = Mux(left[expert], expert, expected)
        m.d.comb += [
            Assert(meta.valid == (q.drain & (count != 0))),
            Assert(~meta.valid | (meta.payload.expert == expected)),
            Assert(~meta.valid | (meta.payload.length == Array(lengths)[expected])),
            Assert(~meta.valid | (meta.payload.last == (count == 1))),
        ]
        return count == 0

    def _check_queue(self, m: Module, lengths: list[Signal], lists: list[Array[Signal]], drained: Value) -> Value:
        """Whether everything was taken, except one entry that is offered."""
        q, queue = self.queues, self.queues.queue
        taken = [Signal.like(length, name=f"taken_{e}") for e, length in enumerate(lengths)]
        kept = Signal(len(self._kept(q.entry)))  # the last entry, if it is still offered after the end
        late, waited = Signal(), Signal()
        left = sum(length - count for length, count in zip(lengths, taken))
        goes = queue.valid & queue.ready
        m.d.sync += waited.eq(q.drain & ~q.drained & ~queue.valid & (left != 0))

        entry, last, expert = Signal.like(kept), Signal(), Signal(range(q.experts))
        for e in reversed(range(q.experts)):
            with m.If(taken[e] != lengths[e]):  # the last assignment that applies wins
                m.d.comb += [entry.eq(lists[e][taken[e]]), last.eq(taken[e] + 1 == lengths[e]), expert.eq(e)]
        with m.If(late):
            m.d.comb += [entry.eq(kept), last.eq(1)]
        with m.If(goes):
            m.d.sync += late.eq(0)
            with m.If(~late):
                for e, count in enumerate(taken):
                    with m.If(expert == e):
                        m.d.sync += count.eq(count + 1)
        with m.If(q.drained):
            m.d.sync += [count.eq(0) for count in taken]
            m.d.sync += [late.eq(queue.valid & ~goes), kept.eq(entry)]
        m.d.comb += [
            Assert(~queue.valid | late | (q.drain & (left != 0))),
            Assert(~late | queue.valid),
            Assert(~queue.valid | ((self._kept(queue.payload) == entry) & (queue.payload.last == last))),
            Assert(~waited | queue.valid),
        ]
        return (left == 0) | ((left == 1) & queue.valid & ~late)

    def _check_offers(self, m: Module) -> None:
        for name in ("meta", "queue"):
            stream = getattr(self.queues, name)
            offered, payload = (
                Signal(name=f"{name}_offered"),
                Signal(len(stream.payload.as_value()), name=f"{name}_was"),
            )
            m.d.sync += [offered.eq(stream.valid & ~stream.ready), payload.eq(stream.payload)]
            m.d.comb += Assert(~offered | (stream.valid & (stream.payload.as_value() == payload)))

    def _kept(self, entry: Any) -> Value:
        """An entry without `last`, which the queues set."""
        kept: Value = entry.as_value()[:-1]
        return kept

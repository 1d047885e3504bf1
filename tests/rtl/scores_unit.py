"""The units of scores and of their softmax as they work together, with a short FIFO between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth import Module
from amaranth.lib import wiring

from hwsim.rtl.contract import Contract, Resources
from hwsim.rtl.online_softmax.component import OnlineSoftmax
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.ports import Port
from hwsim.rtl.qk_reorder.component import QkReorder
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.stream_blocks.fifo import ShortFifo
from hwsim.rtl.streams import port_members


@dataclass(frozen=True, kw_only=True)
class ScoresUnitContract(Contract):
    """Both contracts, for a softmax that keeps up with the scores.

    Attributes
    ----------
    stream_depth : heads of scores in the FIFO
    """

    block: ClassVar[str] = "scores_unit"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    qk: QkReorderContract
    softmax: OnlineSoftmaxContract
    stream_depth: int

    def __post_init__(self) -> None:
        assert self.qk.head_beats >= self.softmax.initiation_interval
        assert self.qk.token_beats >= self.softmax.row_interval

    @property
    def ports(self) -> tuple[Port, ...]:
        command, *vectors, _ = self.qk.ports
        other_command, _, *results = self.softmax.ports
        return command, Port(name="softmax", direction="in", fields=other_command.fields), *vectors, *results

    def cycles(self, work: int) -> int:
        """Cycles for `work` tokens: those of the scores; the last of them goes through FIFO and softmax."""
        return self.qk.cycles(work) + ShortFifo.LATENCY + self.softmax.latency

    def resources(self) -> Resources:
        return self.qk.resources() + self.softmax.resources()


class ScoresUnit(wiring.Component):
    """Streams as those of the two; `softmax` is the command of the softmax."""

    def __init__(self, contract: ScoresUnitContract) -> None:
        self.contract = contract
        super().__init__(port_members(contract))

    def elaborate(self, platform: Any) -> Module:
        c, m = self.contract, Module()
        m.submodules.qk = qk = QkReorder(c.qk)
        m.submodules.softmax = softmax = OnlineSoftmax(c.softmax)
        m.submodules.fifo = fifo = ShortFifo(qk.scores.payload.shape(), c.stream_depth)
        for name in ("command", "q", "k"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(qk, name))
        wiring.connect(m, wiring.flipped(self.softmax), softmax.command)
        wiring.connect(m, qk.scores, fifo.x)
        wiring.connect(m, fifo.y, softmax.scores)
        for name in ("raw", "info"):
            wiring.connect(m, getattr(softmax, name), wiring.flipped(getattr(self, name)))
        return m

"""Contracts of the softmax without query reordering, and of one that passes over the scores three times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hwsim.rtl.contract import Resources
from hwsim.rtl.estimates import adder, delay, multiplier, register, selector
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.plain.unproven import InBlocks, Unproven, without
from hwsim.rtl.skewed_contract import walk_resources

Pass = Literal["maximum", "exponentials", "normalise"]
PASSES: tuple[Pass, ...] = ("maximum", "exponentials", "normalise")


@dataclass(frozen=True, kw_only=True)
class OnlineSoftmaxBlocksContract(Unproven, InBlocks, OnlineSoftmaxContract):
    """The single pass, where all slots' queries end together: one reciprocal serves a slot's heads after another's."""

    block: ClassVar[str] = "online_softmax_blocks"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = without(OnlineSoftmaxContract.presets, "query reordering")

    def cycles(self, work: int) -> int:
        """Cycles for `work` tokens: the last query's info follows those of the other slots."""
        return OnlineSoftmaxContract.cycles(self, work) + (self.slots - 1) * self.heads if work else 0


@dataclass(frozen=True, kw_only=True)
class SoftmaxPassesContract(Unproven, OnlineSoftmaxContract):
    """Three passes over scores in memory, in the skewed order; a head of all slots a cycle in each.

    `maximum` leaves the largest score of each query and head. `exponentials` reads it, puts `exp(score - maximum)` in
    the place of each score, and leaves one over their sum. `normalise` multiplies with that, and leaves probabilities.
    Products are pipelined in none of the loops that carry a sum, so no pass waits for itself.
    """

    block: ClassVar[str] = "softmax_passes"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        name: {**values, "initiation_interval": 1, "output_stages": 0}
        for name, values in without(OnlineSoftmaxContract.presets, "the single-pass softmax").items()
    }

    def info_latency(self, which: Pass) -> int:
        """Clock edges from a query's last score to what a pass leaves of the query: gathered from its heads."""
        if which == "maximum":
            return 1 + 2
        return self.score_latency(which) + 1 + self.reciprocal.latency + 1

    def score_latency(self, which: Pass) -> int:
        """Clock edges from a score to what takes its place: difference and exponential, or a product."""
        return 1 + self.recurrence.exp.latency if which == "exponentials" else 1 + self.product_stages + 1

    def leaves_info(self, which: Pass) -> bool:
        return which != "normalise"

    def pass_cycles(self, which: Pass, tokens: int) -> int:
        """Cycles of a pass: the command, a head of all slots a cycle, the depth behind the last one."""
        if not tokens:
            return 0
        infos = self.info_latency(which) + self.last_info if self.leaves_info(which) else 0
        scores = self.score_latency(which) if which != "maximum" else 0
        return 1 + self.rows(tokens) * self.heads + max(infos, scores)

    @property
    def last_info(self) -> int:
        """Cycles between the infos of the first and of the last query that end in a row."""
        return 0

    def cycles(self, work: int) -> int:
        """Cycles for the three passes of `work` tokens, one after the other."""
        return sum(self.pass_cycles(which, work) for which in PASSES)

    def resources(self) -> Resources:
        """For each slot a maximum and a sum a head, an exponential and a product; a reciprocal, and the info."""
        value, total, power = self.activation.width, self.total.width, self.exponential.width
        kept = (adder(value) + adder(total) + selector(value)) + register((value + total) * self.heads)
        lane = kept + adder(value) + self.recurrence.exp.resources() + multiplier(power, self.inverse.width, value)
        info = self.heads * (self.inverse.width + value)
        gathered = register(info) + delay(info, 1)
        return (lane + register(value)) * self.slots + self.reciprocal.resources() + gathered + self._walk()

    def _walk(self) -> Resources:
        return walk_resources(self.max_tokens, self.slots)


@dataclass(frozen=True, kw_only=True)
class SoftmaxPassesBlocksContract(InBlocks, SoftmaxPassesContract):
    """The same with the queries of a pass over the keys ending together."""

    block: ClassVar[str] = "softmax_passes_blocks"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        name: {**values, "initiation_interval": 1, "output_stages": 0}
        for name, values in without(
            OnlineSoftmaxContract.presets, "the single-pass softmax and query reordering"
        ).items()
    }

    @property
    def last_info(self) -> int:
        return (self.slots - 1) * self.heads

"""Contract of the softmax in a single pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, Resources, part_of
from hwsim.rtl.estimates import delay, register, selector
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.inverse_root.contract import ReciprocalContract
from hwsim.rtl.online_sum.recurrence import Recurrence
from hwsim.rtl.ports import FLAG, Port, number_up_to, stream
from hwsim.rtl.skew import row_count, skewed_rows
from hwsim.rtl.skewed_contract import walk_resources


@dataclass(frozen=True, kw_only=True)
class OnlineSoftmaxContract(Contract):
    """Maximum and inverse sum of exponentials of each query's scores, while the scores pass through unchanged.

    A command gives the number of tokens. Scores follow in the skewed order of reordered attention: one row for each
    (block of `slots` queries, key), one beat per row for each head, one lane per beat for each slot. The query in a
    slot changes at the key with the slot's number. A query's info leaves after its last key; at most one query ends in
    a row, so one reciprocal serves all lanes. A score counts if its mask is 1; if no score of a query counts, the sum
    is 0 and the maximum the least code.

    Beats of the same head must be `product_stages + 1` cycles apart, since each needs the previous sum; if there are
    fewer heads than that, the block makes them wait.

    Attributes
    ----------
    heads : interleaved in each lane
    slots : queries in parallel (the attention parallelism p)
    max_tokens : largest number that a command may give
    initiation_interval : least number of cycles from a beat to the next
    product_stages : registers in the product of sum and exponential
    output_stages : registers before the info, for a tool to move
    exp_method : of the exponential, as in `exp`
    inverse_method, bits_per_stage : of 1/sum, as in `reciprocal`
    activation, exponential, total, inverse : formats of scores and maxima, of exponentials, of their sum, of 1/sum
    """

    block: ClassVar[str] = "online_softmax"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "initiation_interval": 4,
            "output_stages": 20,
            "exp_method": "tables",
            "inverse_method": "division",
            "exponential": Fixed(width=32, integer=10),
            "total": Fixed(width=32, integer=10),
            "inverse": Fixed(width=32, integer=10),
            "source": "Edge-MoE: trips of one slot and all 3 heads, one in 3 cycles, 12 cycles a row of 4 slots; here "
            "a beat is one head and all slots, so one in 4 makes the same row; depth 78 in an HLS log (77 edges)",
        },
        "rtl": {"source": "rtl/online_softmax"},
    }
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "exp_method": ExpContract.choices["method"],
        "inverse_method": ReciprocalContract.choices["method"],
    }

    heads: int = 3
    slots: int = 4
    max_tokens: int = 129
    initiation_interval: int = 1
    product_stages: int = 2
    output_stages: int = 0
    exp_method: str = "polynomial"
    inverse_method: str = "polynomial"
    bits_per_stage: int = 1
    activation: Fixed = Fixed(width=32, integer=10)
    exponential: Fixed = Fixed(width=23, integer=1, signed=False, rounding="nearest_even", overflow="saturate")
    total: Fixed = Fixed(width=31, integer=9, signed=False)
    inverse: Fixed = Fixed(width=23, integer=1, signed=False, rounding="nearest_even", overflow="saturate")

    def __post_init__(self) -> None:
        self.require_range("heads", 1, 64)
        self.require_range("slots", 1, 64)
        self.require_range("max_tokens", 1, 1 << 16)
        self.require_range("initiation_interval", 1, 16)
        self.require_range("product_stages", 0, 6)
        self.require_range("output_stages", 0, 64)
        self.require_range("bits_per_stage", 1, 8)
        for name in self.choices:
            self.require_choice(name)
        for name in ("activation", "exponential", "total", "inverse"):
            self.require_fixed(name)
        _ = self.reciprocal  # checks the formats, as the recurrence does

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("command", "in", tokens=self.count),
            stream("scores", "in", values=(self.activation, self.slots), mask=(FLAG, self.slots)),
            stream("raw", "out", values=(self.activation, self.slots), mask=(FLAG, self.slots)),
            stream("info", "out", inverse=(self.inverse, self.heads), bias=(self.activation, self.heads)),
        )

    @property
    def unread(self) -> frozenset[str]:
        return frozenset() if self.inverse_method == "division" else frozenset(("bits_per_stage",))

    @property
    def count(self) -> Fixed:
        """Format of a number of tokens."""
        return number_up_to(self.max_tokens)

    @property
    def recurrence(self) -> Recurrence:
        """The running maximum and sum of each lane."""
        with part_of(self.block, values="activation"):
            return Recurrence(
                states=self.heads,
                values=self.activation,
                exponential=self.exponential,
                total=self.total,
                product_stages=self.product_stages,
                longest=self.max_tokens,
                exp_method=self.exp_method,
            )

    @property
    def reciprocal(self) -> ReciprocalContract:
        """The unit that makes 1/sum."""
        with part_of(self.block):
            return self.recurrence.reciprocal(
                self.inverse, method=self.inverse_method, bits_per_stage=self.bits_per_stage
            )

    @property
    def row_interval(self) -> int:
        """Cycles from a row's first beat to the next row's."""
        return max(self.heads * self.initiation_interval, self.recurrence.interval)

    @property
    def latency(self) -> int:
        """Clock edges from the last beat of a query to its info: sum, reciprocal, gathering of the heads."""
        return self.recurrence.latency + self.reciprocal.latency + 1 + self.output_stages

    @property
    def reordered(self) -> bool:
        """Whether queries end one a row, and not all slots' with a pass."""
        return True

    def rows(self, tokens: int) -> int:
        """Rows of the skewed order (`hwsim.rtl.skew`)."""
        return row_count(tokens, self.slots)

    def cycles(self, work: int) -> int:
        """Cycles for `work` tokens: the command, the rows, the last info."""
        if not work:
            return 0
        return 1 + self._offset(self.rows(work) - 1, self.heads - 1) + 1 + self.latency

    def backlog(self, work: int) -> Mapping[str, int]:
        """Beats of scores that are taken while no info is taken.

        The first info stops all stages before it, so the beats taken since its last beat fill the depth.
        """
        first = next(i for i, row in enumerate(skewed_rows(work, self.slots)) if row.leaves is not None)
        stopped = self._offset(first, self.heads - 1) + self.latency
        taken = (self._offset(row, head) < stopped for row in range(self.rows(work)) for head in range(self.heads))
        return {"scores": sum(taken)}

    def _offset(self, row: int, head: int) -> int:
        """Cycles from the first beat of scores to another."""
        return row * self.row_interval + head * self.initiation_interval

    def resources(self) -> Resources:
        """Lanes, reciprocal, the info, a skid buffer for the scores that pass through; handshakes left out."""
        info = self.heads * (self.inverse.width + self.activation.width)
        beat = self.slots * (self.activation.width + 1)
        passing = register(2 * beat) + selector(beat)
        chosen = selector(self.total.width + self.activation.width) * (self.slots - 1)
        bias = delay(self.activation.width, self.recurrence.latency + self.reciprocal.latency)
        gathered = register(info) + delay(info, self.output_stages)
        walk = walk_resources(self.max_tokens, self.slots)
        units = self.recurrence.resources() * self.slots + self.reciprocal.resources()
        return units + passing + chosen + bias + gathered + walk

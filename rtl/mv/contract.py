"""Contract of attention's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mapping.formats import Fixed
from rtl.contract import Contract, ContractError, Resources
from rtl.exp.contract import ExpContract
from rtl.fpga import adder, delay, memory, multiplier, register, selector
from rtl.ports import FLAG, Port, number_up_to, stream
from rtl.skew import row_count


@dataclass(frozen=True, kw_only=True)
class MvContract(Contract):
    """Values weighted by probabilities, `slots` queries at once, in the order in which scores came (`rtl.skew`).

    A command gives the number of tokens. A row is one value, all channels of which stream in, `channels` a beat,
    again for each pass; with each head of a row comes a beat of raw scores, with the rows that refill a slot what the
    single-pass softmax found for its query: the largest score and one over the sum, of each head. From these the
    probability is made once more, `exp(score - bias) * inverse`, 0 where the scores' mask is. A query that has
    seen all values leaves in that row, so results come in the order of queries.

    Products floor to the accumulator's resolution before they are added, and sums wrap.

    Attributes
    ----------
    slots : queries worked on at once ("p", the attention's parallelism)
    channels : of all slots' results a cycle
    max_tokens : largest number that a command may give
    exp_units : exponentials a cycle; the slots take turns, within the cycles of a head
    segments_log2, degree, guard_bits : of the exponential's table, as in `exp`
    product_stages : registers from operands to products, of probabilities and of values
    output_stages : registers before the output queue of two beats, for a tool to move
    """

    block: ClassVar[str] = "mv"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "product_stages": 4,
            "output_stages": 5,
            "source": "Edge-MoE: 4 queries x 8 channels a cycle, 12 exponentials in 24 cycles, depth 29 in an HLS log "
            "(28 edges), an output FIFO of 2; the split is ours",
        },
        "rtl": {"source": "rtl/mv"},
    }

    slots: int = 4
    channels: int = 8
    heads: int = 3
    head_dim: int = 64
    max_tokens: int = 129
    exp_units: int = 1
    segments_log2: int = 6
    degree: int = 2
    guard_bits: int = 4
    product_stages: int = 3
    output_stages: int = 0
    activation: Fixed = Fixed(width=32, integer=10)
    exponential: Fixed = Fixed(width=23, integer=1, signed=False, rounding="nearest_even", overflow="saturate")
    inverse: Fixed = Fixed(width=23, integer=1, signed=False, rounding="nearest_even", overflow="saturate")
    accumulator: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("slots", 1, 16)
        self.require_range("channels", 1, 64)
        self.require_range("heads", 1, 64)
        self.require_range("head_dim", 1, 1024)
        self.require_range("max_tokens", 1, 1 << 16)
        self.require_range("exp_units", 1, 16)
        self.require_range("product_stages", 1, 6)
        self.require_range("output_stages", 0, 32)
        for name in ("activation", "exponential", "inverse", "accumulator"):
            self.require_fixed(name)
        self._check_rates()
        if not self.activation.signed or self.activation.width > 32:
            raise ContractError(f"{self.block}: activation must be signed, of 32 bits at most, got {self.activation}")
        self.require_floor_and_wrap("accumulator")
        if self.exponential.width + self.inverse.width > 63:
            raise ContractError(f"{self.block}: exponential and inverse may have 63 bits together")
        _ = self.exp  # which checks its table and formats

    def _check_rates(self) -> None:
        if self.head_dim % self.channels:
            raise ContractError(f"{self.block}: head_dim {self.head_dim} is no multiple of {self.channels} channels")
        if self.token_beats < 2:
            raise ContractError(f"{self.block}: a token must have 2 beats at least, to read a sum before it is written")
        if self.turns > self.head_beats:
            raise ContractError(
                f"{self.block}: {self.slots} slots on {self.exp_units} exp_units take {self.turns} cycles, "
                f"a head has {self.head_beats}"
            )

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("command", "in", tokens=self.count),
            stream("info", "in", inverse=(self.inverse, self.heads), bias=(self.activation, self.heads)),
            stream("scores", "in", values=(self.activation, self.slots), mask=(FLAG, self.slots)),
            stream("v", "in", values=(self.activation, self.channels)),
            stream("y", "out", values=(self.activation, self.channels)),
        )

    @property
    def count(self) -> Fixed:
        """Format of a number of tokens."""
        return number_up_to(self.max_tokens)

    @property
    def head_beats(self) -> int:
        """Beats of a token's head."""
        return self.head_dim // self.channels

    @property
    def token_beats(self) -> int:
        """Beats of a token, which are the cycles of a row."""
        return self.heads * self.head_beats

    @property
    def turns(self) -> int:
        """Cycles that the slots' exponentials take."""
        return -(-self.slots // self.exp_units)

    @property
    def exp(self) -> ExpContract:
        """The exponential unit; its argument holds any difference of two scores."""
        return ExpContract(
            segments_log2=self.segments_log2,
            degree=self.degree,
            guard_bits=self.guard_bits,
            argument=Fixed(width=self.activation.width + 1, integer=self.activation.integer + 1),
            result=self.exponential,
        )

    @property
    def probability_stages(self) -> int:
        """Clock edges from a head's scores to the probabilities of all slots."""
        return 1 + self.exp.latency + self.product_stages + self.turns - 1

    @property
    def latency(self) -> int:
        """Clock edges from a row's last beat to the last result that leaves in it, the output queue included."""
        return self.probability_stages + self.product_stages + 1 + self.output_stages + 1

    def cycles(self, work: int) -> int:
        """Cycles for `work` tokens: the command, the rows without a gap, and the depth."""
        return 1 + row_count(work, self.slots) * self.token_beats + self.latency if work else 0

    def resources(self) -> Resources:
        beat, operands = self.channels * self.activation.width, self.exp.argument.width + self.inverse.width
        info_bits = self.heads * (self.inverse.width + self.activation.width)
        info = register(info_bits) + selector(info_bits)
        slot = self._slot() + info + adder(self.exp.argument.width) + selector(self.inverse.width)
        probability = selector(self.activation.width) + register(self.activation.width)
        waiting = delay(operands, 1) * (self.slots * (self.turns - 1) // 2) + register(operands * self.slots)
        choice = selector(operands) * (self.turns - 1)
        unit = self._probability_unit() + choice
        leaving = selector(beat) * (self.slots - 1) + delay(beat, 1 + self.output_stages)
        queue = selector(beat) + register(2 * beat)
        steps = adder(self.count.width) * 3 + register(3 * self.count.width + self.slots)
        return (slot + probability) * self.slots + waiting + unit * self.exp_units + leaving + queue + steps

    def _slot(self) -> Resources:
        """Multipliers and sums of a slot."""
        width = self.accumulator.width
        product = multiplier(self.activation.width, self.activation.width, width) + register(width) + adder(width)
        operands = delay(self.activation.width * (self.channels + 1), self.product_stages - 1)
        return product * self.channels + operands + memory(self.token_beats, self.channels * width)

    def _probability_unit(self) -> Resources:
        """An exponential, the inverse beside it, their product."""
        width = self.activation.width
        product = multiplier(self.exponential.width, self.inverse.width, width) + register(width)
        operands = delay(self.exponential.width + self.inverse.width, self.product_stages - 1)
        return self.exp.resources() + delay(self.inverse.width, self.exp.latency) + operands + product

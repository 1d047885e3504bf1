"""Contract of the scores of attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mapping.formats import Fixed
from rtl.contract import Contract, ContractError, Resources
from rtl.fpga import adder, delay, memory, multiplier, register, selector
from rtl.mac_tile.contract import MacTileContract
from rtl.ports import FLAG, Port, number_up_to, stream
from rtl.skew import row_count


@dataclass(frozen=True, kw_only=True)
class QkReorderContract(Contract):
    """Scores `scale * sum over a head's channels of floor(q k)` of `slots` queries at once (`rtl.skew`).

    A command gives the number of tokens. A row is one key, all channels of which stream in, `channels` a beat, again
    for each pass over the keys; with the rows that refill a slot a query streams in beside it. Each head of a row
    makes a beat of scores; slots without a query are masked, their values 0.

    Products floor to the accumulator's resolution before they are added, sums wrap, and the scale multiplies the sum.

    Attributes
    ----------
    slots : queries worked on at once ("p", the attention's parallelism)
    channels : of all slots' queries a cycle
    max_tokens : largest number that a command may give
    scale_code : the scale, as a code of `scale`
    product_stages, adder_levels : as in `mac_tile`
    output_stages : registers behind the scaled sums, for a tool to move
    """

    block: ClassVar[str] = "qk_reorder"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "product_stages": 4,
            "adder_levels": 1,
            "output_stages": 4,
            "source": "Edge-MoE: 4 queries x 8 channels a cycle, depth 15 in an HLS log (14 edges); the split is ours",
        },
        "rtl": {"source": "rtl/qk_reorder"},
    }

    slots: int = 4
    channels: int = 8
    heads: int = 3
    head_dim: int = 64
    max_tokens: int = 129
    scale_code: int = 1 << 19  # 1/8 in `scale`
    product_stages: int = 3
    adder_levels: int = 2
    output_stages: int = 0
    activation: Fixed = Fixed(width=32, integer=10)
    accumulator: Fixed = Fixed(width=32, integer=10)
    scale: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("slots", 1, 16)
        self.require_range("channels", 1, 64)
        self.require_range("heads", 1, 64)
        self.require_range("head_dim", 1, 1024)
        self.require_range("max_tokens", 1, 1 << 16)
        self.require_range("product_stages", 1, 6)
        self.require_range("adder_levels", 1, 6)
        self.require_range("output_stages", 0, 16)
        for name in ("activation", "accumulator", "scale"):
            self.require_fixed(name)
        if not self.activation.signed or self.activation.width > 32:
            raise ContractError(f"{self.block}: activation must be signed, of 32 bits at most, got {self.activation}")
        self.require_floor_and_wrap("accumulator")
        if self.head_dim % self.channels:
            raise ContractError(f"{self.block}: head_dim {self.head_dim} is no multiple of {self.channels} channels")
        self.require_range("scale_code", *self.scale.code_range)
        if not (self.accumulator.signed and self.accumulator.width + self.scale.width <= 64):
            raise ContractError(
                f"{self.block}: accumulator must be signed and may have {64 - self.scale.width} bits, "
                f"got {self.accumulator}"
            )

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("command", "in", tokens=self.count),
            stream("q", "in", values=(self.activation, self.channels)),
            stream("k", "in", values=(self.activation, self.channels)),
            stream("scores", "out", values=(self.activation, self.slots), mask=(FLAG, self.slots)),
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
    def column(self) -> MacTileContract:
        """One slot's multipliers, adder tree and accumulator: a column of `mac_tile` that starts from 0."""
        return MacTileContract(
            in_lanes=self.channels,
            out_lanes=1,
            product_stages=self.product_stages,
            adder_levels=self.adder_levels,
            activation=self.activation,
            weight=self.activation,
            bias=Fixed(width=1, integer=1),
            accumulator=self.accumulator,
        )

    @property
    def latency(self) -> int:
        """Clock edges from a head's last channels to its scores: the slots' memory, the sums, the scale."""
        return 1 + self.column.latency + 1 + self.output_stages

    def cycles(self, work: int) -> int:
        """Cycles for `work` tokens: the command, the rows without a gap, and the depth."""
        return 1 + row_count(work, self.slots) * self.token_beats + self.latency if work else 0

    def resources(self) -> Resources:
        beat, width = self.channels * self.activation.width, self.activation.width
        slot = memory(self.token_beats, beat) + selector(beat) + self.column.resources()
        score = selector(width) + delay(width, 1 + self.output_stages)
        if self.scale_code.bit_count() != 1:  # else it is a shift
            score = score + multiplier(self.accumulator.width, self.scale.width, width)
        steps = adder(self.count.width) * 3 + register(3 * self.count.width + self.slots)
        return (slot + score) * self.slots + register(2 * beat) + steps

"""Contract of the scores of attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import ContractError, Resources, part_of
from hwsim.rtl.estimates import delay, memory, multiplier, register, selector
from hwsim.rtl.mac_tile.contract import MacTileContract
from hwsim.rtl.ports import FLAG, Port, stream
from hwsim.rtl.skewed_contract import SkewedContract, walk_resources


@dataclass(frozen=True, kw_only=True)
class QkReorderContract(SkewedContract):
    """Scores `scale * sum over a head's channels of floor(q k)` of `slots` queries at once (`hwsim.rtl.skew`).

    A command gives the number of tokens. A row is one key; all its channels stream in, `channels` per beat, again for
    each pass over the keys. In a row that refills a slot, a query streams in at the same time. Each head of a row gives
    a beat of scores; slots without a query are masked and their values 0.

    Products floor to the accumulator's resolution before they are added, and sums wrap. The scale multiplies the sum of
    the head, or the sum of each beat before these are added up: `floor(scale (a + b))` is not `floor(scale a) +
    floor(scale b)`.

    Attributes
    ----------
    scale_at : `sum`, after a head's channels were added up, or `beat`, after a beat's
    scale_code : the scale, as a code of `scale`
    adder_levels : as in `mac_tile`, as are the products
    slots, output_stages and so on : as in `SkewedContract`; the output stages come after the scale
    """

    block: ClassVar[str] = "qk_reorder"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "product_stages": 4,
            "adder_levels": 1,
            "output_stages": 4,
            "scale_at": "beat",
            "source": "Edge-MoE: 4 queries x 8 channels a cycle, depth 15 in an HLS log (14 edges); the split is ours",
        },
        "rtl": {"source": "rtl/qk_reorder"},
    }
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"scale_at": ("sum", "beat")}

    scale_at: str = "sum"
    scale_code: int = 1 << 19  # 1/8 in `scale`
    adder_levels: int = 2
    scale: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_choice("scale_at")
        self.require_range("adder_levels", 1, 6)
        self.require_range("output_stages", 0, 16)
        self.require_fixed("scale")
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
    def column(self) -> MacTileContract:
        """One slot's multipliers, adder tree and accumulator: a column of `mac_tile` that starts from 0."""
        with part_of(self.block, in_lanes="channels", weight="activation"):
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
    def scales_beats(self) -> bool:
        """Whether the scale multiplies the sum of each beat, in a stage before the sums instead of one after them."""
        return self.scale_at == "beat"

    @property
    def latency(self) -> int:
        """Clock edges from a head's last channels to its scores: the slots' memory, the sums, the scale."""
        return 1 + self.column.latency + 1 + self.output_stages

    def resources(self) -> Resources:
        beat, width = self.channels * self.activation.width, self.activation.width
        slot = memory(self.token_beats, beat) + selector(beat) + self.column.resources()
        scaled = self.accumulator.width if self.scales_beats else 0
        score = selector(width) + register(scaled) + delay(width, 1 - self.scales_beats + self.output_stages)
        if self.scale_code.bit_count() != 1:  # otherwise it is a shift
            score = score + multiplier(self.accumulator.width, self.scale.width, width)
        return (slot + score) * self.slots + register(2 * beat) + walk_resources(self.max_tokens, self.slots)

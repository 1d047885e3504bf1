"""Contract of the multiply-accumulate tile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.adder_tree import tree_resources, tree_stages
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, delay, multiplier, register
from hwsim.rtl.ports import FLAG, Port, stream

PRODUCT_BITS = 63  # width in which the golden model computes; one more if both operands are signed


@dataclass(frozen=True, kw_only=True)
class MacTileContract(Contract):
    """A matrix-vector product, tile by tile: `y[o] = bias[o] + sum over tiles and lanes of floor(w[o, i] x[i])`.

    A beat brings `in_lanes` activations and a tile of weights; the flag `last` closes a sum and sends it. The bias
    of a sum is taken with its first beat. Each product is floored to the accumulator's resolution before it is
    added, and sums wrap, so the order of addition cannot matter.

    Attributes
    ----------
    product_stages : registers from operands to products
    adder_levels : levels of the adder tree between two registers
    output_stages : registers after the accumulator, for a tool to move
    """

    block: ClassVar[str] = "mac_tile"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "product_stages": 4,
            "adder_levels": 1,
            "output_stages": 6,
            "source": "Edge-MoE: 16x16 a cycle, depth 16 of the compute loop in an HLS log; the split is ours",
        },
        "rtl": {"source": "rtl/mac_tile"},
    }

    in_lanes: int = 16
    out_lanes: int = 16
    product_stages: int = 3
    adder_levels: int = 2
    output_stages: int = 0
    activation: Fixed = Fixed(width=32, integer=10)
    weight: Fixed = Fixed(width=16, integer=2)
    bias: Fixed = Fixed(width=18, integer=7)
    accumulator: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("in_lanes", 1, 64)
        self.require_range("out_lanes", 1, 64)
        self.require_range("product_stages", 1, 6)
        self.require_range("adder_levels", 1, 6)
        self.require_range("output_stages", 0, 16)
        for name in ("activation", "weight", "bias", "accumulator"):
            self.require_fixed(name)
        width, bits = self.activation.width + self.weight.width, PRODUCT_BITS
        bits += self.activation.signed and self.weight.signed
        if width > bits:
            raise ContractError(f"{self.block}: a product may have {bits} bits, {width} asked for")
        self.require_floor_and_wrap("accumulator")

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("x", "in", values=(self.activation, self.in_lanes), last=FLAG),
            stream("w", "in", values=(self.weight, self.in_lanes * self.out_lanes)),  # row o, lane i at o in_lanes + i
            stream("bias", "in", values=(self.bias, self.out_lanes)),
            stream("y", "out", values=(self.accumulator, self.out_lanes)),
        )

    @property
    def tree_stages(self) -> int:
        """Registers in the adder tree."""
        return tree_stages(self.in_lanes, self.adder_levels)

    @property
    def latency(self) -> int:
        """Clock edges from the last beat of a sum to the sum."""
        return self.product_stages + self.tree_stages + 1 + self.output_stages

    def cycles(self, work: int) -> int:
        """Cycles for `work` beats of activations, one a cycle, the last of which closes a sum."""
        return work + self.latency if work else 0

    def resources(self) -> Resources:
        """Columns of multipliers, trees and accumulators, and the biases' path; control left out."""
        beside = delay(self.bias.width, self.product_stages + self.tree_stages)
        return (self._column() + beside + delay(self.accumulator.width, self.output_stages)) * self.out_lanes

    def _column(self) -> Resources:
        width = self.accumulator.width
        product = (
            delay(self.activation.width + self.weight.width, self.product_stages - 1)
            + multiplier(self.activation.width, self.weight.width, width)
            + register(width)
        )
        tree = tree_resources(self.in_lanes, self.adder_levels, width)
        return product * self.in_lanes + tree + adder(width) + register(width)

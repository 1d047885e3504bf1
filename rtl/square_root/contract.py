"""Contract of the square root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, delay, register, selector
from hwsim.rtl.ports import Port, stream

SQUARE_BITS = 62  # of the widest square: the width in which the golden model computes


@dataclass(frozen=True, kw_only=True)
class SquareRootContract(Contract):
    """`sqrt(x)`, exact but for the result's rounding: floored, or rounded to nearest (no root lies between two codes).

    A bit of the root takes a comparison and a subtraction and uses two bits of the square, which is the argument with
    as many zeros behind it as the root's resolution needs.

    Attributes
    ----------
    bits_per_stage : bits of the root that are found between two registers
    output_stages : registers after the rounding, for a tool to move
    argument : unsigned format
    result : format of the root
    """

    block: ClassVar[str] = "square_root"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "bits_per_stage": 2,
            "output_stages": 7,
            "result": Fixed(width=32, integer=10, rounding="nearest_even"),
            "source": "Edge-MoE: square root of depth 23 in an HLS log (22 edges), one a cycle; the split is ours",
        },
        "rtl": {"source": "rtl/square_root"},
    }

    bits_per_stage: int = 1
    output_stages: int = 0
    argument: Fixed = Fixed(width=31, integer=9, signed=False)
    result: Fixed = Fixed(width=27, integer=5, signed=False, rounding="nearest_even")

    def __post_init__(self) -> None:
        self.require_range("bits_per_stage", 1, 8)
        self.require_range("output_stages", 0, 64)
        for name in ("argument", "result"):
            self.require_fixed(name)
        if self.argument.signed:
            raise ContractError(f"{self.block}: argument must be unsigned, got {self.argument}")
        if self.zeros < 0:
            raise ContractError(
                f"{self.block}: result must have half as many fraction bits as {self.argument} at least, "
                f"got {self.result}"
            )
        if self.square_bits > SQUARE_BITS:
            raise ContractError(f"{self.block}: a square may have {SQUARE_BITS} bits, {self.square_bits} asked for")

    @property
    def ports(self) -> tuple[Port, ...]:
        return (stream("x", "in", value=self.argument), stream("y", "out", value=self.result))

    @property
    def zeros(self) -> int:
        """Zeros behind the argument that make it the square of a root in units of the result's last bit."""
        return 2 * self.result.fraction - self.argument.fraction

    @property
    def square_bits(self) -> int:
        """Bits of the square."""
        return self.argument.width + self.zeros

    @property
    def root_bits(self) -> int:
        """Bits of the root before it is rounded."""
        return -(-self.square_bits // 2)

    @property
    def stages(self) -> int:
        """Registers in which the root's bits are found."""
        return -(-self.root_bits // self.bits_per_stage)

    @property
    def latency(self) -> int:
        """Clock edges from an argument to its root: its bits, then the rounding."""
        return self.stages + 1 + self.output_stages

    def cycles(self, work: int) -> int:
        """Cycles for `work` arguments, one a cycle."""
        return work + self.latency if work else 0

    def resources(self) -> Resources:
        """Comparison, and difference merged with choice, of each bit; rest, root and argument's bits in each stage."""
        per, bits = self.bits_per_stage, self.root_bits
        total = Resources()
        for i in range(bits):  # the remainder has one bit more than the root so far
            total += adder(i + 3) + selector(i + 2)
        for stage in range(1, self.stages + 1):
            found = min(stage * per, bits)
            total += register(2 * found + 1)
        for i in range(self.argument.width):  # the argument's bits wait for their turn
            total += delay(1, i // 2 // per)
        return total + adder(bits) + selector(bits) + delay(self.result.width, 1 + self.output_stages)

"""Contract of the divider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, delay, register, selector
from hwsim.rtl.ports import Port, stream

QUOTIENT_BITS = 62  # of the widest dividend: the width in which the golden model computes


@dataclass(frozen=True, kw_only=True)
class DivideContract(Contract):
    """`numerator / denominator`, exact but for the quotient's rounding; the largest quotient for a denominator of 0.

    A bit of the quotient takes a comparison and a subtraction, as in division by hand. The dividend is the numerator
    with as many zeros behind it as the quotient needs, and gives a bit of the quotient for each of its own.

    Attributes
    ----------
    bits_per_stage : bits of the quotient that are found between two registers
    output_stages : registers after the quotient, for a tool to move
    numerator, denominator : unsigned formats
    quotient : format of the result; it floors, or rounds to nearest by what is left in the end
    """

    block: ClassVar[str] = "divide"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "output_stages": 3,
            "source": "Edge-MoE: reciprocal of depth 50 in an HLS log (49 edges), one a cycle, made by division; the "
            "split is ours",
        },
        "rtl": {"source": "rtl/divide"},
    }

    bits_per_stage: int = 1
    output_stages: int = 0
    numerator: Fixed = Fixed(width=23, integer=1, signed=False)
    denominator: Fixed = Fixed(width=31, integer=9, signed=False)
    quotient: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("bits_per_stage", 1, 8)
        self.require_range("output_stages", 0, 64)
        for name in ("numerator", "denominator", "quotient"):
            self.require_fixed(name)
        for name in ("numerator", "denominator"):
            if getattr(self, name).signed:
                raise ContractError(f"{self.block}: {name} must be unsigned, got {getattr(self, name)}")
        if self.zeros < 0 and self.quotient.rounding != "floor":
            raise ContractError(
                f"{self.block}: quotient must floor if bits of the numerator are cut off, got {self.quotient}"
            )
        if not 1 <= self.dividend_bits <= QUOTIENT_BITS:
            raise ContractError(
                f"{self.block}: a dividend may have 1 to {QUOTIENT_BITS} bits, {self.dividend_bits} asked for"
            )

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("x", "in", numerator=self.numerator, denominator=self.denominator),
            stream("y", "out", value=self.quotient),
        )

    @property
    def zeros(self) -> int:
        """Zeros behind the numerator; if negative, bits of the numerator that are cut off."""
        return self.quotient.fraction + self.denominator.fraction - self.numerator.fraction

    @property
    def dividend_bits(self) -> int:
        """Bits of the dividend and of the quotient before it is wrapped or saturated."""
        return self.numerator.width + self.zeros

    @property
    def stages(self) -> int:
        """Registers in which the quotient's bits are found."""
        return -(-self.dividend_bits // self.bits_per_stage)

    @property
    def latency(self) -> int:
        """Clock edges from the operands to their quotient: its bits, then its format."""
        return self.stages + 1 + self.output_stages

    def cycles(self, work: int) -> int:
        """Cycles for `work` quotients, one a cycle."""
        return work + self.latency if work else 0

    @property
    def rounds(self) -> bool:
        """Whether the quotient is rounded to nearest."""
        return self.quotient.rounding == "nearest_even"

    def resources(self) -> Resources:
        """Comparison, difference and choice of each bit; remainder, divisor and the bits so far in each stage."""
        divisor, bits, per = self.denominator.width, self.dividend_bits, self.bits_per_stage
        # the first bits have a short remainder: it has no more bits than the dividend has given
        remainders = [min(divisor, i + 1) for i in range(bits)]
        total = sum((adder(r + 1) + adder(r) + selector(r) for r in remainders), Resources())
        total += register(sum(remainders[per - 1 :: per])) + register(divisor) * (self.stages - 1)
        for i in range(bits):  # each bit of the quotient waits for the last one
            total += delay(1, self.stages - i // per)
        for i in range(min(self.numerator.width, bits)):  # each bit of the numerator for its turn
            total += delay(1, i // per)
        if self.rounds:
            total += adder(divisor) + adder(bits)
        return total + adder(divisor) + delay(self.quotient.width, 1 + self.output_stages)

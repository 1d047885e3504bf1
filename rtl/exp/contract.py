"""Contract of the exponential unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, delay, multiplier, register, rom, selector, shifter
from hwsim.rtl.exp import power_tables
from hwsim.rtl.piecewise import EXP2_NEGATIVE, Piecewise
from hwsim.rtl.ports import Port, stream

STAGES_AROUND = 4  # magnitude, times log2(e), shift, round
TABLE_STAGES = 6  # reduction, tables, product and sum of the growth, product and sum of the power


@dataclass(frozen=True, kw_only=True)
class ExpContract(Contract):
    """`exp(x)` for x <= 0; arguments above 0 count as 0.

    `polynomial` writes `exp(x) = 2^-k 2^-f` with `k + f = -x log2(e)`; `2^-f` comes from a table of polynomials.

    `tables` is Edge-MoE's: with m the multiple of 1/8 at or below x, the result is `T + floor(T G)`, where
    `T = floor(e^m)` at 27 fraction bits and `G = floor(e^(x - m) - 1)` at 52; it is 0 at -16 and below
    (`hwsim.rtl.exp.power_tables`). In a format that floors it is never above exp(x).

    Attributes
    ----------
    method : `polynomial` or `tables`
    argument, result : formats; the result can represent at least 1
    segments_log2, degree : parameters of the table of polynomials
    guard_bits : bits below the result's last bit in all earlier stages of a polynomial
    output_stages : registers after the result, for a tool to move
    """

    block: ClassVar[str] = "exp"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "method": "tables",
            "output_stages": 12,
            "result": Fixed(width=32, integer=10),
            "source": "Edge-MoE: depth 19 in an HLS log (18 edges), one a cycle; the values by a stand-in of the "
            "vendor's library",
        },
        "rtl": {"source": "rtl/exp"},
    }
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"method": ("polynomial", "tables")}

    method: str = "polynomial"
    segments_log2: int = 6
    degree: int = 2
    guard_bits: int = 4
    output_stages: int = 0
    argument: Fixed = Fixed(width=32, integer=10)
    result: Fixed = Fixed(width=23, integer=1, signed=False, rounding="nearest_even", overflow="saturate")

    def __post_init__(self) -> None:
        self.require_choice("method")
        self.require_range("segments_log2", 1, 12)
        self.require_range("degree", 1, 4)
        self.require_range("guard_bits", 2, 8)
        self.require_range("output_stages", 0, 32)
        for name in ("argument", "result"):
            self.require_fixed(name)
        if not self.argument.signed:
            raise ContractError(f"{self.block}: argument must be signed, got {self.argument}")
        highest = power_tables.POWER_FRACTION if self.method == "tables" else 28
        if not 2 <= self.result.fraction <= highest or self.result.maximum < 1:
            raise ContractError(
                f"{self.block}: result must hold 1 and have 2 to {highest} fraction bits, got {self.result}"
            )
        if self.method == "tables":
            self._check_tables()
        else:
            self._check_polynomial()

    def _check_tables(self) -> None:
        finest = power_tables.ARGUMENT_FRACTION
        if not power_tables.STEP_LOG2 <= self.argument.fraction <= finest:
            raise ContractError(
                f"{self.block}: argument must have {power_tables.STEP_LOG2} to {finest} fraction bits for tables, "
                f"got {self.argument}"
            )

    def _check_polynomial(self) -> None:
        if self.working_fraction <= self.segments_log2:
            raise ContractError(f"{self.block}: 2^{self.segments_log2} segments are too many for {self.result}")
        if self.argument.fraction + self.clamp_log2 < 0:
            raise ContractError(
                f"{self.block}: argument may have steps of at most 2^{self.clamp_log2}, got {self.argument}"
            )
        if self.magnitude_bits + self.log2e_fraction + 1 > 63:
            raise ContractError(f"{self.block}: {self.argument} times log2(e) exceeds 63 bits")

    @property
    def ports(self) -> tuple[Port, ...]:
        return (stream("x", "in", value=self.argument), stream("y", "out", value=self.result))

    @property
    def unread(self) -> frozenset[str]:
        return frozenset(("segments_log2", "degree", "guard_bits")) if self.method == "tables" else frozenset()

    @property
    def working_fraction(self) -> int:
        """Fraction bits of the stages before the result."""
        if self.method == "tables":
            return power_tables.POWER_FRACTION
        return self.result.fraction + self.guard_bits

    @property
    def clamp_log2(self) -> int:
        """Magnitudes are clamped to below 2^clamp_log2, where the result is already 0."""
        if self.method == "tables":
            return power_tables.LIMIT_LOG2
        return math.ceil(math.log2((self.working_fraction + 2) * math.log(2)))

    @property
    def magnitude_bits(self) -> int:
        """Bits of a clamped magnitude."""
        return max(self.clamp_log2 + self.argument.fraction, 1)

    @property
    def exponent_bits(self) -> int:
        """Bits of a magnitude times log2(e), which is below 2."""
        return self.clamp_log2 + 1 + self.working_fraction

    @property
    def log2e_fraction(self) -> int:
        """Fraction bits of the constant log2(e): for the largest magnitude it is as exact as the other values."""
        return self.working_fraction + self.clamp_log2

    @property
    def table(self) -> Piecewise:
        return Piecewise(
            functions=(EXP2_NEGATIVE,),
            segments_log2=self.segments_log2,
            degree=self.degree,
            fraction=self.working_fraction,
            rest_bits=self.working_fraction - self.segments_log2,
        )

    @property
    def error_bound(self) -> float:
        """Largest distance from exp(x), over all arguments up to 0.

        By `polynomial`, the exponent's error is half a bit of log2(e) times the magnitude, plus a floor, scaled by the
        derivative ln 2; the shift floors. By `tables`, T is floored before it grows by an eighth at most, and so is
        what it grows by. The result rounds.
        """
        working = 2.0**-self.working_fraction
        rounding = self.result.resolution * (1 if self.result.rounding == "floor" else 0.5)
        if self.method == "tables":
            lost = working * (math.exp(2.0**-power_tables.STEP_LOG2) + 1) + rounding
            return max(lost, math.exp(-16) if self.argument.minimum <= -16 else 0.0)
        exponent = (0.5 + 1) * working * math.log(2)
        return self.table.error_bound + exponent + working + rounding

    @property
    def latency(self) -> int:
        """Clock edges from an argument to its result."""
        if self.method == "tables":
            return TABLE_STAGES + self.output_stages
        return STAGES_AROUND + self.table.stages + self.output_stages

    def cycles(self, work: int) -> int:
        """Cycles for `work` arguments, one a cycle."""
        return work + self.latency if work else 0

    def resources(self) -> Resources:
        """Resources of the method; control left out."""
        return self._table_resources() if self.method == "tables" else self._polynomial_resources()

    def _table_resources(self) -> Resources:
        """The powers, what makes the growth, and the product of the two."""
        t = power_tables
        power = t.POWER_FRACTION + 1
        total = register(t.LIMIT_LOG2 + self.argument.fraction + 2) + rom(len(t.powers()) - 1, power)
        total += selector(power) + delay(self.result.width, 1 + self.output_stages)
        if self.argument.fraction == t.STEP_LOG2:  # every argument is in the table of powers
            return total + register(3 * power)
        growth = t.GROWTH_FRACTION - t.STEP_LOG2 + 1
        product = multiplier(power, growth, power) + register(2 * power) + adder(power)
        return total + self._growth_resources(growth) + delay(power, 2) + product

    def _growth_resources(self, growth: int) -> Resources:
        """A table of coarse steps; if there are finer ones, another table, a product and a sum."""
        t = power_tables
        coarse_rows = 1 << min(self.argument.fraction, t.COARSE_FRACTION) - t.STEP_LOG2
        fine_rows = 1 << max(0, self.argument.fraction - t.COARSE_FRACTION)
        if fine_rows == 1:
            return rom(coarse_rows, growth) + delay(growth, 2)
        coarse, fine = (max(rows).bit_length() for rows in (t.coarse_growth(), t.fine_growth()))
        tables = rom(coarse_rows, coarse) + rom(fine_rows, fine)
        return (
            tables + multiplier(coarse, fine, growth) + register(growth + coarse) + adder(coarse) * 2 + register(growth)
        )

    def _polynomial_resources(self) -> Resources:
        """The product with log2(e), the table's polynomials, a shift and a rounding."""
        w, shift_bits = self.working_fraction, self.exponent_bits - self.working_fraction
        return (
            adder(self.argument.width)  # negated
            + adder(self.argument.width)  # compared with the clamp
            + register(self.magnitude_bits)
            + multiplier(self.magnitude_bits, self.log2e_fraction, self.exponent_bits)
            + register(self.exponent_bits)
            + self.table.resources()
            + delay(shift_bits, self.table.stages)
            + shifter(w + 1, w + 1)
            + register(w + 1)
            + adder(self.result.width)
            + delay(self.result.width, 1 + self.output_stages)
        )

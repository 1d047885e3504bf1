"""Contracts of the reciprocal and the reciprocal square root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, delay, leading_one, register, shifter
from hwsim.rtl.piecewise import RECIPROCAL, RSQRT, RSQRT_OF_DOUBLE, Piecewise, Smooth
from hwsim.rtl.ports import Port, stream

STAGES_AROUND = 4  # leading one, normalise, shift, round


@dataclass(frozen=True, kw_only=True)
class InverseRootContract(Contract):
    """`x^(-1/r)` with r = 2^root_log2, for x > 0; the largest result for x = 0 and wherever the result saturates.

    With `x = m 2^(r h)` and m in [1, 2^r), the result is `2^-h m^(-1/r)`. The root of m comes from a table of
    polynomials with one part for each octave of m.

    Attributes
    ----------
    argument, result : unsigned formats; the result saturates
    segments_log2, degree : parameters of the table of polynomials
    guard_bits : bits below the result's last bit in all earlier stages
    output_stages : registers after the result, for a tool to move
    """

    root_log2: ClassVar[int]
    octaves: ClassVar[tuple[Smooth, ...]]

    segments_log2: int = 7
    degree: int = 2
    guard_bits: int = 4
    output_stages: int = 0
    argument: Fixed = Fixed(width=31, integer=9, signed=False)
    result: Fixed = Fixed(width=31, integer=9, signed=False, rounding="nearest_even", overflow="saturate")

    def __post_init__(self) -> None:
        self.require_range("segments_log2", 1, 12)
        self.require_range("degree", 1, 4)
        self.require_range("guard_bits", 2, 8)
        self.require_range("output_stages", 0, 64)
        for name in ("argument", "result"):
            self.require_fixed(name)
            fmt = getattr(self, name)
            if fmt.signed:
                raise ContractError(f"{self.block}: {name} must be unsigned, got {fmt}")
            if not 0 <= fmt.integer <= fmt.width:
                raise ContractError(f"{self.block}: {name} must have its point within its bits, got {fmt}")
        if self.result.overflow != "saturate":
            raise ContractError(f"{self.block}: result must saturate, got {self.result}")
        if self.result.fraction > 28:
            raise ContractError(f"{self.block}: result may have 28 fraction bits, got {self.result}")
        if self.working_fraction <= self.segments_log2:
            raise ContractError(f"{self.block}: 2^{self.segments_log2} segments are too many for {self.result}")
        if self.working_fraction + self.left_shift + 1 > 62:
            raise ContractError(f"{self.block}: the shifted root of {self.argument} exceeds 62 bits")

    @property
    def ports(self) -> tuple[Port, ...]:
        return (stream("x", "in", value=self.argument), stream("y", "out", value=self.result))

    @property
    def working_fraction(self) -> int:
        """Fraction bits of all stages before the result."""
        return self.result.fraction + self.guard_bits

    @property
    def left_shift(self) -> int:
        """Bits by which the smallest argument's result is shifted left."""
        return -(-self.argument.fraction >> self.root_log2)

    @property
    def exponent_offset(self) -> int:
        """Difference between an argument's exponent and the position of its leading one, `left_shift` included."""
        return (self.left_shift << self.root_log2) - self.argument.fraction

    @property
    def exponent_bits(self) -> int:
        """Bits of the largest exponent, `left_shift` included."""
        return (self.argument.width - 1 + self.exponent_offset).bit_length()

    @property
    def table(self) -> Piecewise:
        return Piecewise(
            functions=self.octaves,
            segments_log2=self.segments_log2,
            degree=self.degree,
            fraction=self.working_fraction,
            rest_bits=self.working_fraction - self.segments_log2,
        )

    @property
    def error_bound(self) -> tuple[float, float]:
        """(absolute, relative): the error of a result that does not saturate is at most `absolute + relative * result`.

        Bits below the table's argument are cut off, an error scaled by the slope of at most 1/r. The table's error is
        its bound. Both are relative to values of at least 1/2. The shift floors, and the result rounds.
        """
        working = 2.0**-self.working_fraction
        cut = working if self.argument.width - 1 > self.working_fraction else 0.0
        rounding = self.result.resolution * (1 if self.result.rounding == "floor" else 0.5)
        return working + rounding, 2 * (self.table.error_bound + cut / (1 << self.root_log2))

    @property
    def latency(self) -> int:
        """Clock edges from an argument to its result."""
        return STAGES_AROUND + self.table.stages + self.output_stages

    def cycles(self, work: int) -> int:
        """Cycles for `work` arguments, one a cycle."""
        return work + self.latency if work else 0

    def resources(self) -> Resources:
        """Leading one, a shift before and one after the table's polynomials, a rounding; control left out."""
        p, w, width = self.table, self.working_fraction, self.argument.width
        shifted = w + 1 + self.left_shift
        return (
            leading_one(width)
            + register(width + width.bit_length())
            + shifter(min(w, width), width)
            + register(w + self.exponent_bits)
            + p.resources()
            + delay(self.exponent_bits, p.stages)
            + shifter(shifted, 1 << self.exponent_bits >> self.root_log2)
            + register(shifted)
            + adder(self.result.width)  # rounds
            + adder(shifted)  # compares
            + delay(self.result.width, 1 + self.output_stages)
        )


@dataclass(frozen=True, kw_only=True)
class ReciprocalContract(InverseRootContract):
    """`1/x`."""

    block: ClassVar[str] = "reciprocal"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"output_stages": 40, "source": "Edge-MoE: depth 50 in an HLS log (49 edges), one a cycle"},
        "rtl": {"source": "rtl/inverse_root"},
    }
    root_log2: ClassVar[int] = 0
    octaves: ClassVar[tuple[Smooth, ...]] = (RECIPROCAL,)


@dataclass(frozen=True, kw_only=True)
class RsqrtContract(InverseRootContract):
    """`1/sqrt(x)`."""

    block: ClassVar[str] = "rsqrt"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "output_stages": 13,
            "source": "Edge-MoE: square root of depth 23 in an HLS log (22 edges), one a cycle; its division aside",
        },
        "rtl": {"source": "rtl/inverse_root"},
    }
    root_log2: ClassVar[int] = 1
    octaves: ClassVar[tuple[Smooth, ...]] = (RSQRT, RSQRT_OF_DOUBLE)

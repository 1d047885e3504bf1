"""Contracts of the reciprocal and the reciprocal square root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources, part_of
from hwsim.rtl.divide.contract import DivideContract
from hwsim.rtl.estimates import adder, delay, leading_one, register, shifter
from hwsim.rtl.piecewise import RECIPROCAL, RSQRT, RSQRT_OF_DOUBLE, Piecewise, Smooth
from hwsim.rtl.ports import Port, stream
from hwsim.rtl.square_root.contract import SquareRootContract

STAGES_AROUND = 4  # leading one, normalise, shift, round


@dataclass(frozen=True, kw_only=True)
class InverseRootContract(Contract):
    """`x^(-1/r)` with r = 2^root_log2, for x > 0; the largest result for x = 0.

    `polynomial` writes `x = m 2^(r h)` with m in [1, 2^r), so that the result is `2^-h m^(-1/r)`. The root of m comes
    from a table of polynomials with one part for each octave of m. The result saturates.

    `division` takes the square root first, if r is 2, rounded to nearest in the argument's resolution; then it divides
    1 by it. The quotient is exact but for the floor to the result's resolution. The result may be of any format, and
    wraps in one that wraps: `1/sqrt(x)` of the smallest arguments is beyond `fixed(32,10)`.

    Attributes
    ----------
    method : `polynomial` or `division`
    argument, result : formats; the argument is unsigned, and so is a polynomial's result
    segments_log2, degree : parameters of the table of polynomials
    guard_bits : bits below the result's last bit in all earlier stages of a polynomial
    bits_per_stage : bits of the root and of the quotient that are found between two registers, by `division`
    output_stages : registers after the result, for a tool to move
    """

    root_log2: ClassVar[int]
    octaves: ClassVar[tuple[Smooth, ...]]
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"method": ("polynomial", "division")}

    method: str = "polynomial"
    segments_log2: int = 7
    degree: int = 2
    guard_bits: int = 4
    bits_per_stage: int = 1
    output_stages: int = 0
    argument: Fixed = Fixed(width=31, integer=9, signed=False)
    result: Fixed = Fixed(width=31, integer=9, signed=False, rounding="nearest_even", overflow="saturate")

    def __post_init__(self) -> None:
        self.require_choice("method")
        self.require_range("segments_log2", 1, 12)
        self.require_range("degree", 1, 4)
        self.require_range("guard_bits", 2, 8)
        self.require_range("bits_per_stage", 1, 8)
        self.require_range("output_stages", 0, 64)
        for name in ("argument", "result"):
            self.require_fixed(name)
            fmt = getattr(self, name)
            if not fmt.signed <= fmt.integer <= fmt.width:
                raise ContractError(f"{self.block}: {name} must have its point within its bits, got {fmt}")
        if self.argument.signed:
            raise ContractError(f"{self.block}: argument must be unsigned, got {self.argument}")
        if self.method == "division":
            _ = self.root, self.divider  # they check the rest
        else:
            self._check_polynomial()

    def _check_polynomial(self) -> None:
        if self.result.signed:
            raise ContractError(f"{self.block}: result must be unsigned, got {self.result}")
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
    def unread(self) -> frozenset[str]:
        if self.method == "division":
            return frozenset(("segments_log2", "degree", "guard_bits"))
        return frozenset(("bits_per_stage",))

    @property
    def root(self) -> SquareRootContract | None:
        """The square root before a division, in the argument's resolution; none for a reciprocal."""
        if not self.root_log2:
            return None
        fraction = self.argument.fraction
        width = -(-(self.argument.width + fraction) // 2) + 1  # one bit for the largest root, rounded up
        with part_of(self.block):
            return SquareRootContract(
                bits_per_stage=self.bits_per_stage,
                argument=self.argument,
                result=Fixed(width=width, integer=width - fraction, signed=False, rounding="nearest_even"),
            )

    @property
    def divider(self) -> DivideContract:
        """The division of 1."""
        with part_of(self.block, quotient="result"):
            return DivideContract(
                bits_per_stage=self.bits_per_stage,
                output_stages=self.output_stages,
                numerator=Fixed(width=1, integer=1, signed=False),
                denominator=self.root.result if self.root else self.argument,
                quotient=self.result,
            )

    @property
    def working_fraction(self) -> int:
        """Fraction bits of a polynomial's stages before the result."""
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
        """(absolute, relative): the error of a result within its format is at most `absolute + relative * result`.

        By `polynomial`, bits below the table's argument are cut off, an error scaled by the slope of at most 1/r. The
        table's error is its bound. Both are relative to values of at least 1/2. The shift floors, and the result
        rounds. By `division`, a root is off by half its resolution at most. The smallest root, in which that is most,
        is that of the smallest argument, or the inverse of the largest result.
        """
        if self.method == "division":
            smallest = self.argument.resolution
            relative = smallest * min(self.result.maximum, smallest**-0.5) if self.root else 0.0
            return self.result.resolution, relative
        working = 2.0**-self.working_fraction
        cut = working if self.argument.width - 1 > self.working_fraction else 0.0
        rounding = self.result.resolution * (1 if self.result.rounding == "floor" else 0.5)
        return working + rounding, 2 * (self.table.error_bound + cut / (1 << self.root_log2))

    @property
    def latency(self) -> int:
        """Clock edges from an argument to its result."""
        if self.method == "division":
            return (self.root.latency if self.root else 0) + self.divider.latency
        return STAGES_AROUND + self.table.stages + self.output_stages

    def cycles(self, work: int) -> int:
        """Cycles for `work` arguments, one a cycle."""
        return work + self.latency if work else 0

    def resources(self) -> Resources:
        """Resources of the method; control left out."""
        if self.method == "division":
            return self.divider.resources() + (self.root.resources() if self.root else Resources())
        return self._polynomial_resources()

    def _polynomial_resources(self) -> Resources:
        """Leading one, a shift before and one after the table's polynomials, a rounding."""
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
        "published": {
            "method": "division",
            "output_stages": 3,
            "result": Fixed(width=32, integer=10),
            "source": "Edge-MoE: floor(2^44 / x) at depth 50 in an HLS log (49 edges), one a cycle; the split is ours",
        },
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
            "method": "division",
            "bits_per_stage": 4,
            "output_stages": 1,
            "result": Fixed(width=32, integer=10),
            "source": "Edge-MoE: a root rounded to nearest, then floor(2^44 / root); square root of depth 23 in an HLS "
            "log (22 edges), one a cycle, its division aside. Here 22 edges are those of both, and the split is ours",
        },
        "rtl": {"source": "rtl/inverse_root"},
    }
    root_log2: ClassVar[int] = 1
    octaves: ClassVar[tuple[Smooth, ...]] = (RSQRT, RSQRT_OF_DOUBLE)

"""What pipelined floating-point operators take on UltraScale+, by operation and format.

The vendor's operators (AMD's PG060) as its HLS tool uses them by default: adders and multipliers in DSP slices. Where a
report of the tool for an UltraScale+ part could be read, its figures stand; the others are composed of our estimates or
remembered, and say so. Figures of the tool are its estimates before synthesis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hwsim.mapping.formats import FLOATS, FP16, FP32, Fixed, Float, Format
from hwsim.rtl.contract import Resources
from hwsim.rtl.divide.contract import DivideContract
from hwsim.rtl.estimates import adder, register, selector, shifter
from hwsim.rtl.exp.contract import ExpContract

Operation = Literal["add", "multiply", "exp", "divide"]

HALF = "Vitis HLS 2024.2 for a ZU7EV at 300 MHz, report in hijoouzc/UpConv_Block_HLS"
SINGLE_ADD = "Vitis HLS for a U280 at 140 MHz, report in WenqiJiang/FPGA-ANNS (distance_estimation_by_LUT)"
REMEMBERED = "HLS reports for UltraScale+ at 300 MHz, remembered, confidence"


@dataclass(frozen=True, kw_only=True)
class FloatOperator:
    """An operator that takes operands in every cycle.

    Attributes
    ----------
    grade : S read in a tool's report, C composed of our estimates, M remembered, A assumed
    """

    operation: Operation
    fmt: Float
    cells: Resources
    grade: str
    source: str


def float_operator(operation: Operation, wanted: Format) -> FloatOperator:
    """The operator of an operation in one of the formats `FLOATS`."""
    fmt = FLOATS[str(wanted)]
    if operation == "divide":
        return _composed(operation, fmt, _divider(fmt), "our divider of the mantissas (rtl/divide)")
    if (operation, fmt) in _LISTED:
        return _LISTED[operation, fmt]
    if operation == "exp":
        return _composed(operation, fmt, _exp(fmt), "our exp (rtl/exp) between shifts")
    half = _LISTED[operation, FP16]  # a shorter mantissa, of which no report could be found
    return FloatOperator(operation=operation, fmt=fmt, cells=half.cells, grade="A", source=f"as fp16: {half.source}")


def maximum(fmt: Format) -> Resources:
    """The larger of two numbers: a comparison as of integers, and a choice."""
    return adder(fmt.bits) + selector(fmt.bits) + register(fmt.bits)


def conversion(of: Format, to: Format) -> Resources:
    """A number in another format, subnormal numbers as 0: another bias, and a rounding where bits are lost."""
    given, wanted = FLOATS[str(of)], FLOATS[str(to)]
    if given == wanted:
        return Resources()
    rounded = given.mantissa_bits > wanted.mantissa_bits or given.exponent_bits > wanted.exponent_bits
    rounding = adder(wanted.exponent_bits + wanted.mantissa_bits) + selector(wanted.bits) if rounded else Resources()
    return adder(max(given.exponent_bits, wanted.exponent_bits)) + rounding + register(wanted.bits)


def _composed(operation: Operation, fmt: Float, cells: Resources, source: str) -> FloatOperator:
    return FloatOperator(operation=operation, fmt=fmt, cells=cells, grade="C", source=source)


def _exp(fmt: Float) -> Resources:
    """The argument as a fixed-point number, 2 to the power of its fraction, and its whole part as the exponent."""
    fraction = fmt.mantissa_bits + 2
    argument = Fixed(width=fmt.exponent_bits + 1 + fraction, integer=fmt.exponent_bits + 1)
    power = Fixed(width=fraction, integer=1, signed=False, rounding="nearest_even", overflow="saturate")
    unit = ExpContract(argument=argument, result=power, degree=1, guard_bits=3)
    ends = shifter(argument.width, argument.width) + adder(fmt.exponent_bits) + selector(fmt.bits)
    return unit.resources() + ends + register(argument.width + fmt.bits)


def _divider(fmt: Float) -> Resources:
    """The quotient of the mantissas, a shift by a place, the difference of the exponents."""
    mantissa = Fixed(width=fmt.mantissa_bits + 1, integer=1, signed=False)
    quotient = Fixed(width=fmt.mantissa_bits + 3, integer=2, signed=False, rounding="nearest_even")
    unit = DivideContract(numerator=mantissa, denominator=mantissa, quotient=quotient)
    return unit.resources() + adder(fmt.exponent_bits) * 2 + selector(fmt.bits) + register(fmt.bits)


def _listed(operation: Operation, fmt: Float, cells: tuple[int, int, int], grade: str, source: str) -> FloatOperator:
    dsp, lut, ff = cells
    counted = Resources(
        adders=int(operation == "add"), multipliers=int(operation == "multiply"), dsp=dsp, lut=lut, ff=ff
    )
    return FloatOperator(operation=operation, fmt=fmt, cells=counted, grade=grade, source=source)


_LISTED: dict[tuple[Operation, Float], FloatOperator] = {
    (operator.operation, operator.fmt): operator
    for operator in (
        _listed("add", FP16, (2, 113, 109), "S", f"{HALF}: hadd, full use of DSPs, 5 stages"),
        _listed("multiply", FP16, (2, 34, 91), "S", f"{HALF}: hmul, maximum use of DSPs, 4 stages"),
        _listed("add", FP32, (2, 226, 177), "S", f"{SINGLE_ADD}: fadd, full use of DSPs, 3 stages"),
        _listed("multiply", FP32, (3, 78, 143), "M", f"{REMEMBERED} .8: fmul, maximum use of DSPs, 4 stages"),
        _listed("exp", FP32, (7, 905, 324), "M", f"{REMEMBERED} .7: fexp, full use of DSPs"),
    )
}

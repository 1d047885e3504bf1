"""What a floating-point operator takes of an UltraScale+ FPGA, as AMD's cores for HLS are built of DSPs.

Source: Vitis HLS' operators with their default use of DSPs (sums `fulldsp`, products `maxdsp`, PG060's names),
remembered: DSPs with confidence .8, LUTs and FFs .5. Of a single-precision sum a public report was read (2 DSPs, 177
FFs, 226 LUTs).
"""

from __future__ import annotations

from typing import Literal

from hwsim.mapping.formats import FP16, FP32, Format
from hwsim.rtl.contract import ContractError, Resources

Operator = Literal["add", "multiply", "divide", "exp", "root"]

OPERATORS: dict[Format, dict[Operator, Resources]] = {
    FP16: {
        "add": Resources(adders=1, dsp=2, ff=94, lut=113),
        "multiply": Resources(multipliers=1, dsp=2, ff=64, lut=34),
        "divide": Resources(ff=200, lut=240),
        "exp": Resources(dsp=2, ff=120, lut=400),
        "root": Resources(ff=150, lut=200),
    },
    FP32: {
        "add": Resources(adders=1, dsp=2, ff=177, lut=226),
        "multiply": Resources(multipliers=1, dsp=3, ff=128, lut=135),
        "divide": Resources(ff=761, lut=994),
        "exp": Resources(dsp=7, ff=277, lut=924),
        "root": Resources(ff=405, lut=615),
    },
}


def float_operator(operator: Operator, fmt: Format) -> Resources:
    """The resources of one operator in a format.

    Raises
    ------
    ContractError : a format for which there is no such core
    """
    if fmt not in OPERATORS:
        raise ContractError(f"{operator}: expected one of {', '.join(map(str, OPERATORS))}, got {fmt}")
    return OPERATORS[fmt][operator]

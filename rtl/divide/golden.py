"""Golden model of the divider, bit-exact with `component.Divide`."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.divide.contract import DivideContract
from hwsim.rtl.ports import Codes, Streams


def divide(c: DivideContract, numerator: Codes | int, denominator: Codes) -> Codes:
    """Quotients of codes of `c.numerator` and `c.denominator`, with broadcasting, as codes of `c.quotient`."""
    over = np.asarray(numerator, dtype=np.int64)
    dividend = over << c.zeros if c.zeros >= 0 else over >> min(-c.zeros, 63)
    divisor = np.maximum(denominator, 1)
    whole = dividend // divisor
    if c.rounds:
        twice = 2 * (dividend - whole * divisor)
        whole = whole + ((twice > divisor) | ((twice == divisor) & (whole & 1 == 1)))
    quotient = recode(whole, c.quotient.fraction, c.quotient)
    return np.where(np.asarray(denominator) == 0, c.quotient.code_range[1], quotient)


def run(c: DivideContract, inputs: Streams) -> Streams:
    """The quotient of each pair."""
    return {"y": {"value": divide(c, inputs["x"]["numerator"], inputs["x"]["denominator"])}}

"""Golden model of the exponential unit, bit-exact with `component.Exp`."""

from __future__ import annotations

import math

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.ports import Codes, Streams


def exp(c: ExpContract, x: Codes) -> Codes:
    """Exp of codes of `c.argument`, of any shape, as codes of `c.result`."""
    p, w = c.table, c.working_fraction
    magnitude = np.clip(-x, 0, (1 << c.magnitude_bits) - 1)
    exponent = (magnitude * log2e_code(c)) >> (c.argument.fraction + c.log2e_fraction - w)
    k, f = exponent >> w, exponent & ((1 << w) - 1)
    power = p.evaluate(f >> p.rest_bits, f & ((1 << p.rest_bits) - 1))
    return recode(power >> np.minimum(k, 63), w, c.result)


def log2e_code(c: ExpContract) -> int:
    """log2(e) with `log2e_fraction` fraction bits."""
    return round(math.log2(math.e) * (1 << c.log2e_fraction))


def run(c: ExpContract, inputs: Streams) -> Streams:
    """The exponential of each argument."""
    return {"y": {"value": exp(c, inputs["x"]["value"])}}

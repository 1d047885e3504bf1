"""Golden model of the exponential unit, bit-exact with `component.Exp`."""

from __future__ import annotations

import math

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.exp import power_tables
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.ports import Codes, Streams


def exp(c: ExpContract, x: Codes) -> Codes:
    """Exp of codes of `c.argument`, of any shape, as codes of `c.result`."""
    return _by_tables(c, x) if c.method == "tables" else _by_polynomial(c, x)


def _by_tables(c: ExpContract, x: Codes) -> Codes:
    t, codes = power_tables, np.asarray(x, dtype=np.int64)
    above = np.maximum(codes + (1 << c.magnitude_bits), 0)  # distance from -16
    rest_bits = c.argument.fraction - t.STEP_LOG2
    power = t.powers()[np.minimum(above >> rest_bits, len(t.powers()) - 1)]
    rest = np.where(codes < 0, above & ((1 << rest_bits) - 1), 0)
    growth = t.growth()[rest << (t.ARGUMENT_FRACTION - c.argument.fraction)]
    # the product has 78 bits: taken in two halves, of which the floor of the sum is the floor of the whole
    half = t.GROWTH_FRACTION // 2
    grown = (power * (growth >> half) + (power * (growth & ((1 << half) - 1)) >> half)) >> half
    return recode(np.where(above > 0, power + grown, 0), t.POWER_FRACTION, c.result)


def _by_polynomial(c: ExpContract, x: Codes) -> Codes:
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

"""Golden model of the GELU unit, bit-exact with `component.GeluDelta`."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.gelu_delta.contract import GeluDeltaContract
from hwsim.rtl.gelu_delta.table import delta_codes
from hwsim.rtl.ports import Codes, Streams


def gelu(c: GeluDeltaContract, x: Codes) -> Codes:
    """GELU of codes of `c.value`, of any shape, as codes of `c.value`."""
    table = np.array([*delta_codes(c), 0], dtype=np.int64)
    magnitude = np.abs(x)
    index, rest = magnitude >> c.rest_bits, magnitude & ((1 << c.rest_bits) - 1)
    inside = index < c.limit_steps
    index = np.where(inside, index, 0)
    slope = table[index + 1] - table[index]
    delta = table[index] + ((slope * rest) >> c.rest_bits)
    below = recode(np.where(inside, delta, 0), c.delta.fraction, c.value)
    return recode(np.maximum(x, 0) - below, c.value.fraction, c.value)


def run(c: GeluDeltaContract, inputs: Streams) -> Streams:
    """Each beat's values."""
    return {"y": {"values": gelu(c, inputs["x"]["values"])}}

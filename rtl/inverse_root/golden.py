"""Golden model of reciprocal and reciprocal square root, bit-exact with `component.InverseRoot`."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.divide.golden import divide
from hwsim.rtl.inverse_root.contract import InverseRootContract
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.square_root.golden import square_root


def inverse_root(c: InverseRootContract, x: Codes) -> Codes:
    """`x^(-1/r)` of codes of `c.argument`, of any shape, as codes of `c.result`."""
    if c.method == "division":
        return divide(c.divider, 1, x if c.root is None else square_root(c.root, x))
    return _by_polynomial(c, x)


def _by_polynomial(c: InverseRootContract, x: Codes) -> Codes:
    p, w, below = c.table, c.working_fraction, c.argument.width - 1
    positive = np.maximum(x, 1)
    position = np.frexp(positive)[1].astype(np.int64) - 1  # exact: codes are below 2^53
    behind = (positive << (below - position)) & ((1 << below) - 1)  # the bits after the leading one, at the top
    fraction = behind >> (below - w) if w <= below else behind << (w - below)

    exponent = position + c.exponent_offset
    octave, shift = exponent & (len(c.octaves) - 1), exponent >> c.root_log2
    segment, rest = (octave << p.segments_log2) | (fraction >> p.rest_bits), fraction & ((1 << p.rest_bits) - 1)
    result = recode((p.evaluate(segment, rest) << c.left_shift) >> shift, w, c.result)
    return np.where(x == 0, c.result.code_range[1], result)


def run(c: InverseRootContract, inputs: Streams) -> Streams:
    """The root of each argument."""
    return {"y": {"value": inverse_root(c, inputs["x"]["value"])}}

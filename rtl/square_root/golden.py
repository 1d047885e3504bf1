"""Golden model of the square root, bit-exact with `component.SquareRoot`."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.square_root.contract import SquareRootContract


def square_root(c: SquareRootContract, x: Codes) -> Codes:
    """Roots of codes of `c.argument`, of any shape, as codes of `c.result`."""
    square = np.asarray(x, dtype=np.int64) << c.zeros
    root = np.sqrt(square.astype(np.float64)).astype(np.int64)
    root -= root * root > square  # float64 is off by one at most: squares have 62 bits
    root += (root + 1) * (root + 1) <= square
    if c.result.rounding == "nearest_even":
        root += square - root * root > root  # above the middle, root^2 + root + 1/4, which no whole number is
    return recode(root, c.result.fraction, c.result)


def run(c: SquareRootContract, inputs: Streams) -> Streams:
    """The root of each argument."""
    return {"y": {"value": square_root(c, inputs["x"]["value"])}}

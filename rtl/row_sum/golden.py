"""Golden model of the sum, or the maximum, of one number of each core, of many rows at once."""

from __future__ import annotations

import numpy as np

from hwsim.rtl.float_values import Floats, convert
from hwsim.rtl.row_sum.contract import RowSumContract
from hwsim.rtl.two_level import chain, reduce_in_groups


def reduce_numbers(c: RowSumContract, number_rc: Floats) -> Floats:
    """(rows,) sums or maxima in `c.sum_fmt`: numbers one after the other in both levels, each addition rounded.

    Cores without a key give +0 to a sum, and -infinity to a maximum.

    Parameters
    ----------
    number_rc : (rows, cores) in `c.fmt`
    """
    combine, neutral = (np.add, 0.0) if c.operation == "sum" else (np.maximum, -np.inf)
    return reduce_in_groups(convert(number_rc, c.sum_fmt), c.group, chain, combine, neutral)

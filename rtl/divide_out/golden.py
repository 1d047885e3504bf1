"""Golden model of the division at the end of a row, of many rows at once."""

from __future__ import annotations

import numpy as np

from hwsim.rtl.divide_out.contract import DivideOutContract
from hwsim.rtl.float_values import Floats, convert


def divide(c: DivideOutContract, z_rh: Floats, sum_r: Floats) -> Floats:
    """(rows, H) results in `c.fmt`: the divider is that of `c.sum_fmt`, whose quotient is rounded once more.

    0 / 0, where every exp of a row underflowed, and infinity / infinity are NaN.

    Parameters
    ----------
    z_rh, sum_r : (rows, H) and (rows,) in `c.sum_fmt`
    """
    return convert(np.asarray(z_rh / sum_r[:, np.newaxis]), c.fmt)

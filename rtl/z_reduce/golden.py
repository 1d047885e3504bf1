"""Golden model of the sum of the cores' vectors, of many rows at once."""

from __future__ import annotations

import numpy as np

from hwsim.rtl.float_values import Floats, convert
from hwsim.rtl.two_level import chain, reduce_in_groups, tree
from hwsim.rtl.z_reduce.contract import ZReduceContract

ORDERS = {"tree": tree, "chain": chain}


def reduce_vectors(c: ZReduceContract, product_hrc: Floats) -> Floats:
    """(H, rows) sums over the cores in `c.sum_fmt`, each addition rounded.

    Both levels take elements one by one, so that all summands of an element are there together: they are added in the
    order `c.order`. Cores without a key give +0.

    Parameters
    ----------
    product_hrc : (H, rows, cores) in `c.fmt`
    """
    return reduce_in_groups(convert(product_hrc, c.sum_fmt), c.group, ORDERS[c.order], np.add, 0.0)

"""Sums of products that are floored one by one, over whole arrays: what accumulators of fixed point hold.

Since a floor comes before each addition, such a sum is no matrix product. It is independent of the order of additions,
because what wraps, wraps modulo a power of two.
"""

from __future__ import annotations

import numpy as np

from hwsim.rtl.ports import Codes

# Sums made at a time: they, and one product of each, stay in a core's cache.
AT_ONCE = 1 << 15


def floored_sums(x_ti: Codes, w_oi: Codes, places: int) -> Codes:
    """(T, O) sums over i of `floor(x w / 2^places)`, not wrapped.

    `places` below 0 are appended as zeros.
    """
    sums = np.zeros((len(x_ti), len(w_oi)), dtype=np.int64)
    rows = max(1, AT_ONCE // max(1, len(w_oi)))
    x_it, w_io = x_ti.T, np.ascontiguousarray(w_oi.T, dtype=np.int64)
    for first in range(0, len(x_ti), rows):
        _add_products(sums[first : first + rows], np.ascontiguousarray(x_it[:, first : first + rows]), w_io, places)
    return sums


def _add_products(sums: Codes, x_it: Codes, w_io: Codes, places: int) -> None:
    """Add to `sums` input by input, without arrays of all products."""
    products = np.empty_like(sums)
    shift = np.right_shift if places >= 0 else np.left_shift
    for x_t, w_o in zip(x_it, w_io):
        np.multiply(x_t[:, None], w_o, out=products)
        shift(products, abs(places), out=products)
        np.add(sums, products, out=sums)

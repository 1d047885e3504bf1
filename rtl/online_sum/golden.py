"""Golden model of the running maximum and sum, bit-exact with `component.OnlineSum`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.formats import recode
from hwsim.rtl.exp.golden import exp
from hwsim.rtl.online_sum.recurrence import Recurrence
from hwsim.rtl.ports import Codes


def update(r: Recurrence, maximum: Codes, total: Codes, value: Codes, first: NDArray[np.bool_]) -> tuple[Codes, Codes]:
    """The next maximum and sum, elementwise.

    Parameters
    ----------
    maximum, value : codes of `r.values`; `maximum` is read only if not `first`
    total : codes of `r.total`, likewise
    first : whether a new sum starts; its maximum is then the value and its sum 1
    """
    grew = value > maximum
    power = exponential(r, np.where(grew, maximum - value, value - maximum))
    one = np.int64(1 << r.total.fraction)
    product = recode(total * power, r.total.fraction + r.exponential.fraction, r.total)
    longer = np.where(grew, product + one, total + recode(power, r.exponential.fraction, r.total))
    return np.where(first | grew, value, maximum), np.where(first, one, longer)


def run_sums(r: Recurrence, values: Codes, counts: Codes | None = None) -> tuple[Codes, Codes]:
    """Maximum and sum of values in the order of the first axis, elementwise over the others.

    Parameters
    ----------
    values : (length, ...) codes of `r.values`
    counts : of the same shape; a value counts where it is not 0. All of them count if it is left out

    Returns
    -------
    maximum : (...) codes of `r.values`, the least one where no value counts
    total : (...) codes of `r.total`, 0 where no value counts
    """
    maximum, total = np.full(values.shape[1:], r.values.code_range[0]), np.zeros(values.shape[1:], dtype=np.int64)
    for i, value in enumerate(values):
        higher, longer = update(r, maximum, total, value, np.full(value.shape, i == 0))
        if counts is not None:
            higher, longer = np.where(counts[i], higher, maximum), np.where(counts[i], longer, total)
        maximum, total = higher, longer
    return maximum, total


def exponential(r: Recurrence, difference: Codes) -> Codes:
    """Exp of differences up to 0, in the resolution of `r.values`, as codes of `r.exponential`."""
    return exp(r.exp, recode(difference, r.values.fraction, r.exp.argument))

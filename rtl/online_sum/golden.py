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


def exponential(r: Recurrence, difference: Codes) -> Codes:
    """Exp of differences up to 0, in the resolution of `r.values`, as codes of `r.exponential`."""
    return exp(r.exp, recode(difference, r.values.fraction, r.exp.argument))

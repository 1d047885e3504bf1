"""The table of the GELU unit, from its formula."""

from __future__ import annotations

import math
from functools import lru_cache

from hwsim.rtl.gelu_delta.contract import GeluDeltaContract


def delta(t: float) -> float:
    """`t (1 - Phi(t))`: how far GELU lies below the rectifier at t and -t."""
    return t * math.erfc(t / math.sqrt(2)) / 2


@lru_cache
def delta_codes(c: GeluDeltaContract) -> tuple[int, ...]:
    """`limit_steps + 1` codes of `c.delta`, rounded to nearest."""
    return tuple(round(delta(i * 2.0**-c.step_log2) * 2**c.delta.fraction) for i in range(c.limit_steps + 1))

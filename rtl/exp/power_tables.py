"""The tables of Edge-MoE's exponential: powers of e at multiples of 1/8, and what e^r - 1 adds below 1/8.

For x in (-16, 0], m is the multiple of 1/8 at or below x and r = x - m. Then `T = floor(e^m)` at 27 fraction bits,
`G = floor(e^r - 1)` at 52, and the exponential is `T + floor(T G)` at 27.

G has 2^19 entries, too many for a memory on chip, so that our RTL makes it of two short tables: with r = a + b, a the
multiple of 2^-12 at or below r, `e^r - 1 = A + B + A B` for A = e^a - 1 and B = e^b - 1. At 72 fraction bits, rounded
to nearest, the floor of that is G for every r (`tests/rtl/test_published.py` tries them all).

All numbers here are exact: series in whole numbers with more digits than any result is near to the next whole number.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from hwsim.rtl.ports import Codes

STEP_LOG2 = 3  # T is tabled in steps of 1/8,
LIMIT_LOG2 = 4  # down to -16
POWER_FRACTION = 27
GROWTH_FRACTION = 52
ARGUMENT_FRACTION = 22  # of the finest argument

COARSE_FRACTION = 12  # a is a multiple of 2^-12
SUM_FRACTION = 72  # of A and B

_DIGITS = 160  # bits of the series


@cache
def powers() -> Codes:
    """T of -16, of -16 + 1/8, and so on, up to that of 0, which is 1."""
    count = 1 << LIMIT_LOG2 + STEP_LOG2
    return np.array([(1 << _DIGITS + POWER_FRACTION) // _exp(i, STEP_LOG2) for i in range(count, -1, -1)])


@cache
def coarse_growth() -> tuple[int, ...]:
    """A for each multiple of 2^-12 below 1/8."""
    return tuple(_rounded(_exp(i, COARSE_FRACTION)) for i in range(1 << COARSE_FRACTION - STEP_LOG2))


@cache
def fine_growth() -> tuple[int, ...]:
    """B for each multiple of 2^-22 below 2^-12."""
    return tuple(_rounded(_exp(i, ARGUMENT_FRACTION)) for i in range(1 << ARGUMENT_FRACTION - COARSE_FRACTION))


@cache
def growth() -> Codes:
    """G for each multiple of 2^-22 below 1/8, from the tables of the RTL; made in 0.1 s when first used."""
    shift = SUM_FRACTION - GROWTH_FRACTION
    fine = fine_growth()
    return np.array([(a + b + (a * b >> SUM_FRACTION)) >> shift for a in coarse_growth() for b in fine], dtype=np.int64)


def _rounded(power: int) -> int:
    """`power` less 1, with SUM_FRACTION bits."""
    shift = _DIGITS - SUM_FRACTION
    return (power - (1 << _DIGITS) + (1 << shift - 1)) >> shift


def _exp(numerator: int, denominator_log2: int) -> int:
    """e^(numerator / 2^denominator_log2) with _DIGITS bits, by its series."""
    term, total, order = 1 << _DIGITS, 0, 0
    while term:
        total, order = total + term, order + 1
        term = (term * numerator >> denominator_log2) // order
    return total

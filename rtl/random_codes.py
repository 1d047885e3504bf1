"""Test data for fixed-point ports: random codes that dwell on the extremes, and the extremes themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hwsim.mapping.formats import Fixed
from hwsim.rtl.ports import Codes


def corner_codes(fmt: Fixed) -> list[int]:
    """Smallest and largest code, the codes around 0, and the largest power of two."""
    low, high = fmt.code_range
    around = {low, low + 1, -1, 0, 1, (high + 1) // 2, high}
    return sorted(code for code in around if low <= code <= high)


def random_codes(rng: np.random.Generator, fmt: Fixed, shape: tuple[int, ...]) -> Codes:
    """Codes of all magnitudes: a third uniform, a third of a random number of bits, a third corners."""
    low, high = fmt.code_range
    uniform = rng.integers(low, high, size=shape, endpoint=True)
    small = uniform >> rng.integers(0, fmt.width, size=shape)
    corners = rng.choice(np.array(corner_codes(fmt), dtype=np.int64), size=shape)
    kind = rng.integers(0, 3, size=shape)
    return np.where(kind == 0, uniform, np.where(kind == 1, small, corners))


def codes_near(
    rng: np.random.Generator, fmt: Fixed, centre: Codes | int, *, below: float, above: float, shape: tuple[int, ...]
) -> Codes:
    """Codes of values between `below` under and `above` over the values of `centre`, within the format's range."""
    return clip_codes(fmt, centre + rng.integers(-steps(fmt, below), steps(fmt, above), size=shape, endpoint=True))


def steps(fmt: Fixed, distance: float) -> int:
    """A distance of values in codes: 1 if the format is coarser, the whole range if the format is smaller."""
    low, high = fmt.code_range
    return min(max(round(distance * 2.0**fmt.fraction), 1), high - low) if distance else 0


def clip_codes(fmt: Fixed, codes: ArrayLike) -> Codes:
    """The nearest codes in the format."""
    return np.clip(np.asarray(codes, dtype=np.int64), *fmt.code_range)

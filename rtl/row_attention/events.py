"""What happened to numbers that left the range of their format."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hwsim.rtl.float_values import Floats


@dataclass(frozen=True, kw_only=True)
class Events:
    """Counts over rows of attention; each counts where a number left its range, not what followed from it.

    Attributes
    ----------
    scores : computed, and so many exps
    infinite_scores : scores that are infinite or NaN
    infinite_exps, zero_exps : exps of finite scores that overflowed, and that underflowed to 0
    infinite_products : products of exp and V that overflowed
    infinite_sums : sums of a row, and elements of its numerator, that overflowed
    """

    scores: int = 0
    infinite_scores: int = 0
    infinite_exps: int = 0
    zero_exps: int = 0
    infinite_products: int = 0
    infinite_sums: int = 0

    def __add__(self, other: Events) -> Events:
        return Events(**{of.name: getattr(self, of.name) + getattr(other, of.name) for of in fields(self)})


def count(condition: np.bool_ | np.typing.NDArray[np.bool_]) -> int:
    """How many are true."""
    return int(np.count_nonzero(condition))


def overflowed(result: Floats, *operands: Floats) -> int:
    """Results that are not finite although all operands, which broadcast to them, are."""
    wrong = ~np.isfinite(result)
    if not wrong.any():
        return 0
    for operand in operands:
        wrong = wrong & np.isfinite(operand)
    return count(wrong)

"""Whether weights and caches fit the banks, and how long a context would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hwsim.mapping.pim.target import BankGeometry


class Occupied(Protocol):
    """Rows in use, in every bank."""

    @property
    def target(self) -> BankGeometry: ...

    @property
    def weight_rows(self) -> int: ...

    @property
    def cache_rows(self) -> int: ...


def max_context_by_rows(rows_of: Callable[[int], int], target: BankGeometry) -> int:
    """Longest context, in tokens, whose cache fits in addition to the weights; 0 if not even one token does.

    Parameters
    ----------
    rows_of : number of tokens in the cache -> rows per bank of weights and cache
    """
    low, high = 0, target.capacity_bytes
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if rows_of(middle) <= target.rows else (low, middle - 1)
    return low


def what_does_not_fit(name: str, placement: Occupied, context: int, batch: int, fits: int) -> str:
    """One line: what a model needs, what is available, and how long a context would fit."""
    mib = placement.target.row_bytes_everywhere / 2**20
    need = (
        f"{name}: weights need {placement.weight_rows * mib:.1f} MiB and the cache of {context} "
        f"tokens x {batch} needs {placement.cache_rows * mib:.1f} MiB of {placement.target.rows * mib:.1f} MiB"
    )
    return f"{need}; {fits} tokens would fit" if fits else f"{need}; not even one token would fit"

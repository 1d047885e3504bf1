"""Whether weights and caches fit the banks, and how long a context would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from hwsim.mapping.errors import CapacityError
from hwsim.mapping.pim.target import BankGeometry


class Occupied(Protocol):
    """Rows in use, in every bank."""

    @property
    def target(self) -> BankGeometry: ...

    @property
    def weight_rows(self) -> int: ...

    @property
    def cache_rows(self) -> int: ...

    @property
    def rows(self) -> int: ...


OccupiedT = TypeVar("OccupiedT", bound=Occupied)


def place_within(name: str, place: Callable[[int], OccupiedT], *, context: int, batch: int) -> OccupiedT:
    """The placement for a context.

    Parameters
    ----------
    name : whose it is, for messages
    place : number of tokens in the cache -> placement
    context, batch : tokens per sequence, and sequences

    Raises
    ------
    CapacityError : weights and cache that do not fit
    """
    placement = place(context)
    if placement.rows > placement.target.rows:
        raise CapacityError(_what_does_not_fit(name, placement, context, batch, longest_that_fits(place)))
    return placement


def longest_that_fits(place: Callable[[int], Occupied]) -> int:
    """Longest context, in tokens, whose cache fits in addition to the weights; 0 if not even one token does."""
    target = place(1).target
    low, high = 0, target.capacity_bytes
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if place(middle).rows <= target.rows else (low, middle - 1)
    return low


def _what_does_not_fit(name: str, placement: Occupied, context: int, batch: int, fits: int) -> str:
    """One line: what a model needs, what is available, and how long a context would fit."""
    mib = placement.target.row_bytes_everywhere / 2**20
    need = (
        f"{name}: weights need {placement.weight_rows * mib:.1f} MiB and the cache of {context} "
        f"tokens x {batch} needs {placement.cache_rows * mib:.1f} MiB of {placement.target.rows * mib:.1f} MiB"
    )
    return f"{need}; {fits} tokens would fit" if fits else f"{need}; not even one token would fit"

"""Which energy tables can take each other's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from hwsim.energy.coefficient_set import CoefficientSet

SetT = TypeVar("SetT", bound=CoefficientSet)


@dataclass(frozen=True, kw_only=True)
class Family(Generic[SetT]):
    """Tables for one kind of machine.

    Attributes
    ----------
    names : the shipped ones, `tables/NAME.yaml`
    equations : what `equations` in such a file may name, and the coefficients that they need
    """

    names: tuple[str, ...]
    equations: Mapping[str, type[SetT]]

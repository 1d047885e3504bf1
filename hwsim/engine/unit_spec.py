"""A unit that a machine consists of, as it stands before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from hwsim.rtl.contract import Contract, Resources

# Where a unit is, which says what its resources are taken of.
UnitKind = Literal["memory", "asic", "fpga", "host", "link"]


@dataclass(frozen=True, kw_only=True)
class UnitSpec:
    """One unit, or several equal ones.

    What says how long its work takes is either a contract or, for a unit that charges none, a stated source.

    Attributes
    ----------
    name : as traces and reports have it
    count : how many equal ones there are
    clock_hz : of the clock that it works by
    contract : what it charges
    stated : where its timing comes from without a contract, in words
    compared : for timing without a contract, what it was compared with and where that is written; "" where nothing is

    Raises
    ------
    ValueError : a unit with both or neither of contract and stated source, or with none of it
    """

    name: str
    kind: UnitKind
    clock_hz: int | Fraction
    count: int = 1
    contract: Contract | None = None
    stated: str = ""
    compared: str = ""

    def __post_init__(self) -> None:
        if (self.contract is None) == (not self.stated):
            raise ValueError(f"unit {self.name}: expected either a contract or a stated source")
        if self.count < 1:
            raise ValueError(f"unit {self.name}: expected at least one of it, got {self.count}")

    @property
    def source(self) -> str:
        """Where its timing comes from."""
        return self.contract.source if self.contract else self.stated

    @property
    def proven(self) -> bool:
        """Whether RTL of ours is proven to take the cycles that the unit charges."""
        return self.contract is not None and self.contract.proven

    @property
    def resources(self) -> Resources:
        """What all of them take; nothing where no contract says so."""
        return self.contract.resources() * self.count if self.contract else Resources()

"""A unit of a machine, as it is known before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from hwsim.rtl.contract import Contract, Resources

# Where a unit is, and so from what its resources are taken.
UnitKind = Literal["memory", "asic", "fpga", "host", "link"]


@dataclass(frozen=True, kw_only=True)
class UnitSpec:
    """One unit, or several equal ones.

    The time of its work comes from a contract or, without one, from a stated source.

    Attributes
    ----------
    name : as in traces and reports
    count : number of equal units
    clock_hz : frequency of its clock
    contract : the contract that it charges
    stated : source of its timing without a contract, in words
    compared : for timing without a contract, what it was compared with and where that is written; "" if nothing
    within : the unit whose contract counts what this one takes, such as the block that a bank of weights lies in; "" if
        its own contract does

    Raises
    ------
    ValueError : both or neither of contract and stated source, a count below 1, or a unit within itself
    """

    name: str
    kind: UnitKind
    clock_hz: int | Fraction
    count: int = 1
    contract: Contract | None = None
    stated: str = ""
    compared: str = ""
    within: str = ""

    def __post_init__(self) -> None:
        if (self.contract is None) == (not self.stated):
            raise ValueError(f"unit {self.name}: expected either a contract or a stated source")
        if self.count < 1:
            raise ValueError(f"unit {self.name}: expected at least one of it, got {self.count}")
        if self.within == self.name:
            raise ValueError(f"unit {self.name}: cannot be within itself")

    @property
    def source(self) -> str:
        """Where its timing comes from."""
        return self.contract.source if self.contract else self.stated

    @property
    def proven(self) -> bool:
        """Whether our RTL is proven to take the cycles that the unit charges."""
        return self.contract is not None and self.contract.proven

    @property
    def resources(self) -> Resources:
        """The resources of all of them; none without a contract that states them, or within another unit."""
        counted = self.contract if not self.within else None
        return counted.resources() * self.count if counted else Resources()

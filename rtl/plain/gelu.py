"""Contract of an exact GELU, made of exponentials and reciprocals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources, part_of
from hwsim.rtl.estimates import adder, delay, multiplier, register
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.inverse_root.contract import ReciprocalContract
from hwsim.rtl.plain.unproven import Unproven

COEFFICIENTS = 5  # of the polynomial in t


@dataclass(frozen=True, kw_only=True)
class GeluExactContract(Unproven, Contract):
    """`x Phi(x)` with erf by formula 7.1.26 of Abramowitz and Stegun: `1 - (a1 t + ... + a5 t^5) exp(-z^2)`.

    With `z = |x| / sqrt(2)` and `t = 1 / (1 + p z)`. Each lane has an exponential, a reciprocal, and a multiplier for
    each product, all pipelined: a beat a cycle, as the approximation by differences has it, but deeper and larger.

    Attributes
    ----------
    lanes : values a beat
    product_stages : registers in each product
    value : format of arguments, results and all values between
    exp, reciprocal : the units of a lane
    """

    block: ClassVar[str] = "gelu_exact"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "product_stages": 4,
            "source": "depths of exponential and reciprocal in Edge-MoE's HLS log; without the GELU approximation: a "
            "design of ours, without RTL",
        },
        "rtl": {
            "source": "rtl/exp and rtl/inverse_root; without the GELU approximation: a design of ours, without RTL"
        },
    }

    lanes: int = 16
    product_stages: int = 3
    value: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("lanes", 1, 64)
        self.require_range("product_stages", 0, 6)
        self.require_fixed("value")
        if not self.value.signed:
            raise ContractError(f"{self.block}: value must be signed, got {self.value}")
        _ = self.exp, self.reciprocal  # they check the format

    @property
    def exp(self) -> ExpContract:
        """The power of the squared argument, which saturates where the result is 0 anyway."""
        argument = Fixed(width=self.value.width, integer=self.value.integer, overflow="saturate")
        with part_of(self.block, argument="value"):
            return ExpContract.from_preset(self._unit_preset, argument=argument)

    @property
    def reciprocal(self) -> ReciprocalContract:
        """Makes t of `1 + p z`."""
        argument = Fixed(width=self.value.width - 1, integer=self.value.integer - 1, signed=False)
        with part_of(self.block, argument="value"):
            return ReciprocalContract.from_preset(self._unit_preset, argument=argument)

    @property
    def _unit_preset(self) -> str:
        return "published" if self.preset == "published" else "rtl"

    @property
    def latency(self) -> int:
        """Clock edges from a beat to its result.

        The magnitude over the root of 2; then t and its polynomial, beside the square and its exponential; their
        product, its difference from 1, the product with x.
        """
        product, step = self.product_stages + 1, self.product_stages + 2
        polynomial = step + self.reciprocal.latency + COEFFICIENTS * step
        power = product + self.exp.latency
        return product + max(polynomial, power) + product + 1 + product

    def cycles(self, work: int) -> int:
        """Cycles for `work` beats of `lanes` values, one a cycle."""
        return work + self.latency if work else 0

    def resources(self) -> Resources:
        """Lanes of an exponential, a reciprocal, and products: 1 for z, 1 for its square, 1 + 5 for t, 2 at the end."""
        width = self.value.width
        products = (multiplier(width, width, width) + register(width)) * (4 + COEFFICIENTS)
        sums = adder(width) * (2 + COEFFICIENTS)
        waiting = delay(2 * width, self.latency)
        return (self.exp.resources() + self.reciprocal.resources() + products + sums + waiting) * self.lanes

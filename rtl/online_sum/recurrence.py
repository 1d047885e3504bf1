"""Parameters of the running maximum and sum, shared by the blocks that contain one."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import ContractError, Resources, part_of
from hwsim.rtl.estimates import adder, delay, multiplier, register, selector
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.inverse_root.contract import ReciprocalContract


@dataclass(frozen=True, kw_only=True)
class Recurrence:
    """`b' = max(b, a)`, `s' = s exp(b - b') + exp(a - b')` for each value a; one of the two exponentials is 1.

    The maximum is updated within a cycle and does not depend on the sum, so the exponentials are pipelined outside the
    loop. A product and a sum remain in the loop, hence `interval`.

    Attributes
    ----------
    states : number of independent maxima and sums
    exp_method : `method` of the exponential unit
    values, exponential, total : formats of a, of the exponentials and of s
    product_stages : registers in the product s exp(...)
    longest : largest number of values in one sum
    """

    states: int
    values: Fixed
    exponential: Fixed
    total: Fixed
    product_stages: int
    longest: int
    exp_method: str = "polynomial"

    def __post_init__(self) -> None:
        if not self.values.signed:
            raise ContractError(f"online_sum: values must be signed, got {self.values}")
        if not 1 <= self.total.integer - self.total.signed < self.total.width - self.total.signed:
            raise ContractError(f"online_sum: total must have bits on both sides of its point, got {self.total}")
        if self.total.code_range[1] < self.longest << self.total.fraction:
            raise ContractError(f"online_sum: a sum of {self.longest} exponentials does not fit {self.total}")
        # an exponential is 1 at most, however many bits stand before its point
        power_bits = min(self.exponential.width - self.exponential.signed, self.exponential.fraction + 1)
        width = self.sum_bits + power_bits
        if width > 62:
            raise ContractError(f"online_sum: sum times exponential may have 62 bits, {width} asked for")
        _ = self.exp  # checks its formats

    @property
    def exp(self) -> ExpContract:
        """The exponential unit of each lane. A difference beyond its argument's range saturates, to exp = 0."""
        argument = Fixed(width=self.values.width, integer=self.values.integer, overflow="saturate")
        with part_of("online_sum", argument="values", result="exponential", method="exp_method"):
            return ExpContract.from_preset("rtl", method=self.exp_method, argument=argument, result=self.exponential)

    @property
    def sum_bits(self) -> int:
        """Bits of a sum, which is never negative, without a sign."""
        return self.total.width - self.total.signed

    @property
    def positive_total(self) -> Fixed:
        """Format of a sum without a sign."""
        return Fixed(width=self.sum_bits, integer=self.total.integer - self.total.signed, signed=False)

    def reciprocal(self, inverse: Fixed, *, method: str = "polynomial", bits_per_stage: int = 1) -> ReciprocalContract:
        """The unit that makes 1/s."""
        with part_of("online_sum", argument="total", result="inverse", method="inverse_method"):
            return ReciprocalContract.from_preset(
                "rtl", method=method, bits_per_stage=bits_per_stage, argument=self.positive_total, result=inverse
            )

    @property
    def interval(self) -> int:
        """Least number of cycles between two values of the same state: the second needs the first's sum."""
        return self.product_stages + 1

    @property
    def latency(self) -> int:
        """Clock edges from a value to the sum that includes it: difference, exponential, product, sum."""
        return 1 + self.exp.latency + self.product_stages + 1

    def resources(self) -> Resources:
        """Resources of one lane: exponential, product, sums, and a maximum and a sum for each state."""
        value, total, power = self.values.width, self.total.width, self.exponential.width
        difference = adder(value) * 3 + selector(2 * value) + register(self.exp.argument.width)
        product = multiplier(total, power, total) + delay(total + 2 * power, self.product_stages)
        sums = adder(total) * 2 + selector(total)
        kept = register(value + total) * self.states + selector(value + 3 * total) * (self.states // 2)
        return difference + self.exp.resources() + product + sums + kept

"""Contract of the GELU unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, delay, multiplier, register, rom, selector
from hwsim.rtl.ports import Port, stream

STAGES = 5  # magnitude, table, difference times the rest, interpolated delta, subtraction


@dataclass(frozen=True, kw_only=True)
class GeluDeltaContract(Contract):
    """`gelu(x) = max(x, 0) - delta(|x|)`, `delta` interpolated between the entries of a table and 0 after it.

    `delta(t) = t (1 - Phi(t))` is even, below 0.17 and almost 0 beyond 5: a table of unsigned fractions suffices.

    Attributes
    ----------
    lanes : values a beat
    step_log2 : entries lie 2^-step_log2 apart
    limit_steps : entries before the table ends; there is one more, at its end
    value : format of arguments and results
    delta : format of the table's entries
    output_stages : registers after the result, for a tool to move
    """

    block: ClassVar[str] = "gelu_delta"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"source": "Edge-MoE: 16 copies, depth 6 in an HLS log (5 edges); table of 177 entries"},
        "rtl": {"source": "rtl/gelu_delta"},
    }

    lanes: int = 16
    step_log2: int = 5
    limit_steps: int = 176  # Edge-MoE: 177 entries over [0, 5.5]
    output_stages: int = 0
    value: Fixed = Fixed(width=32, integer=10)
    delta: Fixed = Fixed(width=22, integer=0, signed=False)

    def __post_init__(self) -> None:
        self.require_range("lanes", 1, 64)
        self.require_range("step_log2", 0, 12)
        self.require_range("limit_steps", 1, 4096)
        self.require_range("output_stages", 0, 16)
        for name in ("value", "delta"):
            self.require_fixed(name)
        if not self.value.signed or self.value.overflow != "wrap":
            raise ContractError(f"{self.block}: value must be signed and wrap, got {self.value}")
        if self.delta.signed or self.delta.integer != 0 or self.delta.width > 26:
            raise ContractError(f"{self.block}: delta must be an unsigned fraction of up to 26 bits, got {self.delta}")
        if self.rest_bits < 0:
            needed = f"{self.step_log2} fraction bits"
            raise ContractError(f"{self.block}: steps of 2^-{self.step_log2} need {needed}, {self.value} has fewer")
        if self.delta.fraction < self.value.fraction and self.value.fraction - self.delta.fraction > 20:
            raise ContractError(f"{self.block}: {self.delta} is too coarse for {self.value}")

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("x", "in", values=(self.value, self.lanes)),
            stream("y", "out", values=(self.value, self.lanes)),
        )

    @property
    def rest_bits(self) -> int:
        """Bits of an argument below a step."""
        return self.value.fraction - self.step_log2

    @property
    def latency(self) -> int:
        """Clock edges from a beat to its result."""
        return STAGES + self.output_stages

    def cycles(self, work: int) -> int:
        """Cycles for `work` beats of `lanes` values, one a cycle."""
        return work + self.latency if work else 0

    @property
    def error_bound(self) -> float:
        """Largest distance from GELU, over all arguments.

        Interpolation: the second derivative of delta is at most 2 phi(0) = 0.798, so the error of a chord is at most
        h^2/8 of it. The error of an entry is half a resolution, of each floor one resolution; beyond the table delta
        counts as 0.
        """
        step, end = 2.0**-self.step_log2, self.limit_steps * 2.0**-self.step_log2
        chord = 0.7979 * step * step / 8
        rounding = 1.5 * self.delta.resolution + self.value.resolution
        return max(chord + rounding, _delta_beyond(end) + rounding)

    def resources(self) -> Resources:
        """Lanes of a table, a product and three sums; control left out."""
        width, entry = self.value.width, self.delta.width
        rows = min(self.limit_steps, 1 << max(0, self.value.integer - 1 + self.step_log2))  # rows an argument can reach
        slope = entry + 1
        if not self.rest_bits:  # each argument has its own entry: no slope, and no bits finer than the result's
            entry, slope = min(entry, self.value.fraction), 0
        lane = (
            adder(width)  # the magnitude
            + register(width)
            + selector(width - 1)  # the rectifier, which waits for the rest
            + delay(width - 1, STAGES - 1)
            + rom(rows, entry + slope)
            + register(self.rest_bits)
            + multiplier(slope, self.rest_bits, entry)
            + register(entry + max(slope - 1, 0))  # base and product
            + adder(entry)
            + register(entry)
            + adder(width)
            + delay(width, 1 + self.output_stages)
        )
        return lane * self.lanes


def _delta_beyond(end: float) -> float:
    """The largest delta(t) for t >= end; the bell falls after its maximum of 0.16998 at 0.7517."""
    from hwsim.rtl.gelu_delta.table import delta

    return delta(end) if end > 0.7517 else 0.17

"""Contract of the residual add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, delay, register, selector
from hwsim.rtl.ports import Port, stream


@dataclass(frozen=True, kw_only=True)
class ResidualAddContract(Contract):
    """`y = x + branch`, `lanes` elements a beat: the result of a layer's branch onto the residual stream.

    Numbers of the branch are first brought to the format of the residual stream, by its rounding and overflow; so is
    the sum. In Edge-MoE both have the same format, and sums wrap.

    Attributes
    ----------
    output_stages : registers after the sum, for a tool to move
    activation : format of the residual stream, `x` and `y`
    branch : format of the branch
    """

    block: ClassVar[str] = "residual_add"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "output_stages": 140,
            "memory_stages": {"output_stages": 128},
            "source": "Edge-MoE: depth 142 in an HLS log (141 edges), a beat a cycle; x is read and written beat by "
            "beat, so the depth holds the memory latency of 64 that the tool assumed twice",
        },
        "rtl": {"source": "rtl/residual_add"},
    }

    lanes: int = 8
    output_stages: int = 0
    activation: Fixed = Fixed(width=32, integer=10)
    branch: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("lanes", 1, 64)
        self.require_range("output_stages", 0, 160)
        for name in ("activation", "branch"):
            self.require_fixed(name)
        if self.activation.signed < self.branch.signed:
            raise ContractError(
                f"{self.block}: activation must be signed like the branch, got {self.activation} and {self.branch}"
            )

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("x", "in", values=(self.activation, self.lanes)),
            stream("branch", "in", values=(self.branch, self.lanes)),
            stream("y", "out", values=(self.activation, self.lanes)),
        )

    @property
    def latency(self) -> int:
        """Clock edges from two beats to their sum."""
        return 1 + self.output_stages

    def cycles(self, work: int) -> int:
        """Cycles for `work` beats, one a cycle."""
        return work + self.latency if work else 0

    def resources(self) -> Resources:
        """The sums and their registers, limits where they saturate, and a flag at each stage."""
        width = self.activation.width
        limit = selector(width) if self.activation.overflow == "saturate" else Resources()
        return (adder(width) + limit + delay(width, self.latency)) * self.lanes + register(self.latency)

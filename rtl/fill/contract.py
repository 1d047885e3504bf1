"""Contract of the fill unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, delay, register
from hwsim.rtl.ports import Port, number_up_to, stream


@dataclass(frozen=True, kw_only=True)
class FillContract(Contract):
    """`beats` beats whose `lanes` numbers all equal `value`; a command names both.

    Edge-MoE fills the output of the experts with zeros before they accumulate onto it. A command is taken when the
    last beat of the previous one has entered the output registers.

    Attributes
    ----------
    number_bits : width of a number; its point does not matter here
    max_beats : largest number of beats of a command
    output_stages : registers before the output, for a tool to move
    """

    block: ClassVar[str] = "fill"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "output_stages": 4,
            "source": "Edge-MoE: a beat a cycle (3,096 beats for 129 tokens); the depth of the loop is not known, "
            "assumed to be 5 (4 edges) as of the linear unit's direct writes",
        },
        "rtl": {"source": "rtl/fill"},
    }

    lanes: int = 8
    number_bits: int = 32
    max_beats: int = 4095
    output_stages: int = 0

    def __post_init__(self) -> None:
        self.require_range("lanes", 1, 64)
        self.require_range("number_bits", 1, 53)
        self.require_range("max_beats", 1, (1 << 24) - 1)
        self.require_range("output_stages", 0, 16)

    @property
    def number(self) -> Fixed:
        """Format of a number, seen as a whole one."""
        return Fixed(width=self.number_bits, integer=self.number_bits)

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("command", "in", beats=number_up_to(self.max_beats), value=self.number),
            stream("y", "out", values=(self.number, self.lanes)),
        )

    def cycles(self, work: Sequence[int]) -> int:
        """Cycles for commands of so many beats, one after the other: a cycle for each command and each beat."""
        period, last = 0, 0
        for beats in work:
            self.check(beats)
            period += 1 + beats
            last = period + self.output_stages if beats else last
        return last

    def check(self, beats: int) -> None:
        """Check the number of beats of a command.

        Raises
        ------
        ContractError : it is out of range
        """
        if not 0 <= beats <= self.max_beats:
            raise ContractError(f"{self.block}: a command's beats must be 0 to {self.max_beats}, got {beats}")

    def resources(self) -> Resources:
        """The counter, and the value with its output registers, which all lanes share."""
        count = self.max_beats.bit_length()
        return adder(count) + register(count + self.number_bits) + delay(self.number_bits, self.output_stages)

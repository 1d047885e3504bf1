"""Contract of the norm loader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, choice, memory, register
from hwsim.rtl.ports import Port, number_up_to, stream


@dataclass(frozen=True, kw_only=True)
class NormLoaderContract(Contract):
    """Memory beats of `beat_numbers` numbers into rows of `lanes` weights and biases each, as `layernorm` takes them.

    A command names a number of norms. For each of them the `features` weights come first, then the `features` biases,
    as they lie in memory. Weights wait in a memory of this block; when their biases come, rows of both leave by
    `norm`. The double buffer of `layernorm` holds two norms, so a layer's two norms can be loaded one right after the
    other, before the first is used.

    Weights and biases have numbers of `number_bits` bits; the position of their point does not matter here.

    Attributes
    ----------
    features : weights of a norm, and biases
    lanes : of a row; `beat_numbers` is a multiple, so a beat has one row or several
    max_norms : largest number that a command may give
    pause : cycles in which nothing is taken, before each vector of weights or of biases: Edge-MoE reads the vectors in
        loops that follow each other, and each of them waits for the memory anew
    """

    block: ClassVar[str] = "norm_loader"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "beat_numbers": 8,
            "pause": 73,
            "memory_stages": {"pause": 64},
            "source": "Edge-MoE: four loops of 24 reads of 8 numbers one after the other, about 390 cycles a layer; "
            "the pause before each loop is what makes 390, and holds the memory latency of 64 that the tool assumed",
        },
        "rtl": {"source": "rtl/norm_loader"},
    }

    features: int = 192
    lanes: int = 8
    beat_numbers: int = 16
    number_bits: int = 16
    max_norms: int = 2
    pause: int = 0

    def __post_init__(self) -> None:
        self.require_range("features", 1, 65536)
        self.require_range("lanes", 1, 64)
        self.require_range("beat_numbers", 1, 64)
        self.require_range("number_bits", 1, 32)
        self.require_range("max_norms", 1, 1024)
        self.require_range("pause", 0, 256)
        if self.beat_numbers % self.lanes:
            raise ContractError(f"{self.block}: beats of {self.beat_numbers} numbers do not fill rows of {self.lanes}")
        if self.features % self.beat_numbers:
            raise ContractError(f"{self.block}: {self.features} features do not fill beats of {self.beat_numbers}")

    @property
    def ports(self) -> tuple[Port, ...]:
        number = Fixed(width=self.number_bits, integer=self.number_bits)
        return (
            stream("command", "in", norms=number_up_to(self.max_norms)),
            stream("memory", "in", numbers=(number, self.beat_numbers)),
            stream("norm", "out", weight=(number, self.lanes), bias=(number, self.lanes)),
        )

    @property
    def vector_beats(self) -> int:
        """Memory beats of the weights of a norm, and of its biases."""
        return self.features // self.beat_numbers

    @property
    def beat_rows(self) -> int:
        """Rows of a memory beat."""
        return self.beat_numbers // self.lanes

    def cycles(self, work: Sequence[int]) -> int:
        """Cycles for commands of so many norms each, one after the other.

        A beat of biases is taken when the last row of the one before leaves; weights come meanwhile.
        """
        taken, left = 0, 0  # periods of the last command or beat taken, and of the last row
        for norms in work:
            self.check(norms)
            taken += 1
            for _ in range(norms):
                first = max(taken + 2 * self.pause + self.vector_beats + 1, left)
                taken = first + (self.vector_beats - 1) * self.beat_rows
                left = taken + self.beat_rows
        return left

    def check(self, norms: int) -> None:
        """Check the number of norms of a command.

        Raises
        ------
        ContractError : it is out of range
        """
        if not 0 <= norms <= self.max_norms:
            raise ContractError(f"{self.block}: a command's norms must be 0 to {self.max_norms}, got {norms}")

    def resources(self) -> Resources:
        """The weights' memory, the beat of biases whose rows leave, and the counters; handshakes left out."""
        beat, count = self.beat_numbers * self.number_bits, self.vector_beats.bit_length() + self.max_norms.bit_length()
        row = choice(self.beat_rows, 2 * self.lanes * self.number_bits)
        return memory(self.vector_beats, beat) + register(beat + count) + adder(count) + row

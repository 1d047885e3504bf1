"""Contract of a memory on an FPGA with a port to write and a port to read; it has no RTL of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.rtl.contract import Contract, Resources
from hwsim.rtl.estimates import memory


@dataclass(frozen=True, kw_only=True)
class BufferMemoryContract(Contract):
    """`words` of `width_bits`, of which one is written and one read in a cycle."""

    block: ClassVar[str] = "buffer_memory"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"source": "a word a cycle; resources as our blocks' memories are estimated"}
    }

    words: int = 512
    width_bits: int = 72

    def __post_init__(self) -> None:
        self.require_range("words", 1, 1 << 30)
        self.require_range("width_bits", 1, 1 << 20)

    def cycles(self, work: int) -> int:
        """Cycles to read `work` words, the register behind the memory included."""
        return work + 1 if work else 0

    def resources(self) -> Resources:
        return memory(self.words, self.width_bits)

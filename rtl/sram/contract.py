"""Contract of an on-chip memory with one port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.rtl.contract import Contract, Resources


@dataclass(frozen=True, kw_only=True)
class SramContract(Contract):
    """A memory that moves `width_bytes` a cycle."""

    block: ClassVar[str] = "sram"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"source": "PIM-GPT: 128 KB (remembered); width assumed to feed all adders in FP32"}
    }

    size_bytes: int = 128 * 1024
    width_bytes: int = 1024

    def __post_init__(self) -> None:
        self.require_range("size_bytes", 1, 1 << 40)
        self.require_range("width_bytes", 1, 1 << 20)

    def cycles(self, work: int) -> int:
        """Cycles to move `work` bytes."""
        return -(-work // self.width_bytes)

    def resources(self) -> Resources:
        return Resources(sram_bytes=self.size_bytes)

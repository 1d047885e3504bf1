"""Contract of the reduction of vectors over the cores. It has no RTL yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hwsim.mapping.formats import FP16, FP32, Format
from hwsim.rtl.contract import Contract, Resources
from hwsim.rtl.row_scheduler.contract import STAGES, require_float

Level = Literal[1, 2]


@dataclass(frozen=True, kw_only=True)
class ZReduceContract(Contract):
    """The sum of a vector of each core, element by element: within groups of cores, then over the groups.

    Attributes
    ----------
    fmt : of the cores' vectors
    sum_fmt : of sums
    head_dim : elements of a vector, H
    cores, group : vectors, and those of a group; the last group may be smaller
    order : in which the summands of an element are added in either level, which decides rounding alone: a `tree` by
        pairs, or a `chain` from the first on. Nothing is published; a tree is assumed
    interval, latency : cycles from element to element in either level, and beyond the last one
    """

    block: ClassVar[str] = "z_reduce"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"source": f"{STAGES}: ZRED1 and ZRED2 195 = 3 x 64 + 3; 64 is read as H"},
        "published_fp32": {
            "fmt": FP32,
            "interval": 4,
            "source": "SWAT's stages with the interval of its FP32, assumed",
        },
    }

    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"order": ("tree", "chain")}

    fmt: Format = FP16
    sum_fmt: Format = FP32
    head_dim: int = 64
    cores: int = 512
    group: int = 64
    order: str = "tree"
    interval: int = 3
    latency: int = 3

    def __post_init__(self) -> None:
        for name in ("fmt", "sum_fmt"):
            require_float(self, name)
        self.require_choice("order")
        self.require_range("head_dim", 1, 4096)
        self.require_range("cores", 1, 1 << 16)
        self.require_range("group", 1, 1 << 16)
        self.require_range("interval", 1, 64)
        self.require_range("latency", 0, 1024)

    @property
    def groups(self) -> int:
        """Sums of the first level."""
        return -(-self.cores // self.group)

    def cycles(self, work: Level) -> int:
        """Cycles of a row in one of the two levels."""
        return self.interval * self.head_dim + self.latency

    def resources(self) -> Resources:
        raise NotImplementedError

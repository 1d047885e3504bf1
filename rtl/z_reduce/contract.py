"""Contract of the reduction of vectors over the cores. It has no RTL yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from hwsim.mapping.formats import FP16, FP32, Format
from hwsim.rtl.contract import Contract, Resources
from hwsim.rtl.estimates import choice, lut_memory, register
from hwsim.rtl.float_operators import conversion, float_operator
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
    level : whose resources are counted: of `both`, or of one alone
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

    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"level": ("both", "1", "2"), "order": ("tree", "chain")}

    fmt: Format = FP16
    sum_fmt: Format = FP32
    head_dim: int = 64
    cores: int = 512
    group: int = 64
    order: str = "tree"
    interval: int = 3
    latency: int = 3
    level: str = "both"

    def __post_init__(self) -> None:
        self.require_choice("level")
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

    def of_level(self, level: Level) -> Self:
        """The same reduction with the resources of one level alone."""
        return replace(self, level=str(level))

    @property
    def group_sizes(self) -> tuple[int, ...]:
        """Vectors of each group of the first level."""
        return tuple(min(self.group, self.cores - first) for first in range(0, self.cores, self.group))

    def resources(self) -> Resources:
        """Of each level, a tree of adders for each of its sums.

        An element of a sum is due every interval, so the tree's adders take turns: of the `n - 1` additions of a sum of
        n numbers each does as many as the interval has cycles. The second level has an input more than there are
        groups, for what another pass found of the row.
        """
        first = Resources()
        for size in self.group_sizes:
            first += self._sum(size, conversion(self.fmt, self.sum_fmt))
        second = self._sum(self.groups + 1, Resources())
        return {"1": first, "2": second, "both": first + second}[self.level]

    def tree_adders(self, numbers: int) -> int:
        """Adders of one of the sums of a level."""
        return -(-(numbers - 1) // self.interval)

    def _sum(self, numbers: int, converter: Resources) -> Resources:
        """Adders with a choice of what they add, converters of the inputs, and two banks of the sum's elements."""
        bits, turns = self.sum_fmt.bits, self.interval
        adder = float_operator("add", self.sum_fmt).cells + choice(turns, 2 * bits) + register(bits)
        return (
            adder * self.tree_adders(numbers) + converter * -(-numbers // turns) + lut_memory(2 * self.head_dim, bits)
        )

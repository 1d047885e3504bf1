"""Contract of the reduction of one number a core. It has no RTL yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from hwsim.mapping.formats import FP16, FP32, Format
from hwsim.rtl.contract import Contract, Resources
from hwsim.rtl.estimates import adder, choice, register
from hwsim.rtl.float_operators import conversion, float_operator, maximum
from hwsim.rtl.row_scheduler.contract import STAGES, require_float

Level = Literal[1, 2]


@dataclass(frozen=True, kw_only=True)
class RowSumContract(Contract):
    """The sum (or the maximum) of a number of each core: one after the other within groups, then over the groups.

    Attributes
    ----------
    operation : `sum` of the exps; `maximum` of the scores, for a softmax that subtracts it
    fmt : of the cores' numbers
    sum_fmt : of the result
    cores, group : numbers, and those of a group; the last group may be smaller
    interval, latency : cycles from number to number in either level, and beyond the last one
    level : whose resources are counted: of `both`, or of one alone
    """

    block: ClassVar[str] = "row_sum"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "source": f"{STAGES}: ROWSUM1 195 = 3 x 64 + 3, ROWSUM2 about 27 = 3 x 8 + 3; 64 is read as the group"
        },
        "published_fp32": {
            "fmt": FP32,
            "interval": 4,
            "source": "SWAT's stages with the interval of its FP32, assumed",
        },
    }
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "operation": ("sum", "maximum"),
        "level": ("both", "1", "2"),
    }

    operation: str = "sum"
    fmt: Format = FP16
    sum_fmt: Format = FP32
    cores: int = 512
    group: int = 64
    interval: int = 3
    latency: int = 3
    level: str = "both"

    def __post_init__(self) -> None:
        self.require_choice("operation")
        self.require_choice("level")
        for name in ("fmt", "sum_fmt"):
            require_float(self, name)
        self.require_range("cores", 1, 1 << 16)
        self.require_range("group", 1, 1 << 16)
        self.require_range("interval", 1, 64)
        self.require_range("latency", 0, 1024)

    @property
    def groups(self) -> int:
        """Results of the first level."""
        return -(-self.cores // self.group)

    def cycles(self, work: Level) -> int:
        """Cycles of a row in one of the two levels."""
        return self.interval * (min(self.group, self.cores) if work == 1 else self.groups) + self.latency

    def of_level(self, level: Level) -> Self:
        """The same reduction with the resources of one level alone."""
        return replace(self, level=str(level))

    def resources(self) -> Resources:
        """Of each level, an adder (or a comparison) for each of its results, which takes one number after the other."""
        first = Resources()
        for start in range(0, self.cores, self.group):
            first += self._result(min(self.group, self.cores - start), self.fmt)
        second = self._result(self.groups, self.sum_fmt)
        return {"1": first, "2": second, "both": first + second}[self.level]

    def _result(self, numbers: int, fmt: Format) -> Resources:
        """The choice of the next number, its conversion, the operation, two registers of the result, and a counter."""
        counter = adder(numbers.bit_length()) + register(numbers.bit_length())
        taken = choice(numbers, fmt.bits) + conversion(fmt, self.sum_fmt)
        operation = maximum(self.sum_fmt) if self.operation == "maximum" else float_operator("add", self.sum_fmt).cells
        return counter + taken + operation + register(2 * self.sum_fmt.bits)

"""Contract of the end of a row: a division of each element, or the row as it is. It has no RTL yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hwsim.mapping.formats import FP16, FP32, Format
from hwsim.rtl.contract import Contract, Resources
from hwsim.rtl.estimates import adder, register, selector
from hwsim.rtl.float_operators import conversion, float_operator
from hwsim.rtl.row_scheduler.contract import STAGES, require_float

End = Literal["divided", "partial"]


@dataclass(frozen=True, kw_only=True)
class DivideOutContract(Contract):
    """Divides a row's elements by its sum and writes them; a partial row leaves undivided, with its sum behind it.

    Attributes
    ----------
    fmt : of results
    sum_fmt : of the numerators and the sum
    head_dim : elements of a row, H
    extra : numbers that a partial row has beside its elements: its sum, and with a running maximum that too
    interval, latency : cycles from division to division, and beyond the last one
    pass_interval, pass_latency : the same for a row that passes undivided
    """

    block: ClassVar[str] = "divide_out"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"source": f"{STAGES}: DIV&OUT 179 = 2 x 64 + 51; undivided rows are ours, at the pace of LOAD"},
        "published_fp32": {"fmt": FP32, "source": "as FP16's 179 = 2 x 64 + 51, assumed"},
    }

    fmt: Format = FP16
    sum_fmt: Format = FP32
    head_dim: int = 64
    extra: int = 1
    interval: int = 2
    latency: int = 51
    pass_interval: int = 1
    pass_latency: int = 2

    def __post_init__(self) -> None:
        for name in ("fmt", "sum_fmt"):
            require_float(self, name)
        self.require_range("head_dim", 1, 4096)
        self.require_range("extra", 1, 2)
        for name in ("interval", "pass_interval"):
            self.require_range(name, 1, 64)
        for name in ("latency", "pass_latency"):
            self.require_range(name, 0, 1024)

    def cycles(self, work: End) -> int:
        """Cycles of a row."""
        if work == "divided":
            return self.interval * self.head_dim + self.latency
        return self.pass_interval * (self.head_dim + self.extra) + self.pass_latency

    def resources(self) -> Resources:
        """A divider of the sums' format, the quotient in the results' format, and the way round for partial rows."""
        wide, counted = self.sum_fmt.bits, self.head_dim.bit_length()
        divider = float_operator("divide", self.sum_fmt).cells + conversion(self.sum_fmt, self.fmt)
        return divider + selector(wide) + register(2 * wide) + adder(counted) + register(counted)

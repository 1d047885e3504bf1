"""Contract of an attention core: QK with its exp, then SV. It has no RTL yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hwsim.mapping.formats import FP16, FP32, Format
from hwsim.rtl.contract import Contract, Resources
from hwsim.rtl.estimates import adder, half_block_rams, lut_memory, register
from hwsim.rtl.float_operators import Operation, conversion, float_operator
from hwsim.rtl.row_scheduler.contract import STAGES, require_float

Stage = Literal["qk", "sv"]


@dataclass(frozen=True, kw_only=True)
class AttentionCoreContract(Contract):
    """A core with a row of K and one of V, each in two banks, of which one is loaded while the other is used.

    Stage QK multiplies Q and K element by element into one sum and takes the exp of it, stage SV multiplies V by that,
    element by element. What an operator takes beyond its elements is its latency.

    Attributes
    ----------
    fmt : of Q, K, V, products, scores and exp
    sum_fmt : of the sum in QK, assumed to be that of its products
    head_dim : elements of a row, H
    qk_interval, sv_interval : cycles from element to element; accounts of SV differ, 3 or fully pipelined
    qk_latency : of product, sum and exp beyond the elements
    sv_latency : of the product beyond the elements
    softmax : `plain`, or `safe`, which subtracts a maximum from the score before its exp
    biased : whether a bias is added to the score, an element of a table that lies beside K
    bias_latency : of that addition
    """

    block: ClassVar[str] = "attention_core"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"source": f"{STAGES}: QK 201 = 3 x 64 + 9, SV 197 = 3 x 64 + 5"},
        "published_fp32": {
            "fmt": FP32,
            "sum_fmt": FP32,
            "qk_interval": 4,
            "qk_latency": 8,
            "sv_interval": 4,
            "source": "SWAT: the slowest stage in FP32 is 264 = 4 x 64 + 8, remembered, confidence .65; that it is QK "
            "and that SV has its interval is assumed",
        },
    }
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"softmax": ("plain", "safe")}

    fmt: Format = FP16
    sum_fmt: Format = FP16
    head_dim: int = 64
    qk_interval: int = 3
    qk_latency: int = 9
    sv_interval: int = 3
    sv_latency: int = 5
    softmax: str = "plain"
    biased: bool = False
    bias_latency: int = 4

    def __post_init__(self) -> None:
        self.require_choice("softmax")
        for name in ("fmt", "sum_fmt"):
            require_float(self, name)
        self.require_range("head_dim", 1, 4096)
        for name in ("qk_interval", "sv_interval"):
            self.require_range(name, 1, 64)
        for name in ("qk_latency", "sv_latency", "bias_latency"):
            self.require_range(name, 0, 1024)

    @property
    def unread(self) -> frozenset[str]:
        """Without a bias its addition takes no time."""
        return frozenset() if self.biased else frozenset({"bias_latency"})

    def cycles(self, work: Stage) -> int:
        """Cycles of a row in one of the two stages."""
        if work == "qk":
            return self.qk_interval * self.head_dim + self.qk_latency + self.biased * self.bias_latency
        return self.sv_interval * self.head_dim + self.sv_latency

    def resources(self) -> Resources:
        """A multiplier, an adder and an exp for QK, a multiplier for SV, and what lies between the stages.

        An operator serves an element every interval, so one of each suffices. K and V lie in a block RAM of 18 Kb each,
        both banks of a row in one; a quarter of the U55C's block RAM is published, which these are alone. So the rest
        lies in LUTs and registers: the score's exp twice, and two banks of V's products, since the stages behind read
        them while the next row is computed.
        """
        qk = self.operator("multiply") + self.adder + self.operator("exp")
        qk += conversion(self.fmt, self.sum_fmt) + conversion(self.sum_fmt, self.fmt)
        for extra in (self.softmax == "safe", self.biased):  # a difference, a sum
            qk += self.operator("add") * extra
        rows = 2 * self.head_dim
        buffers = half_block_rams(rows, self.fmt.bits, 2) + lut_memory(rows, self.fmt.bits)
        counters = (adder(rows.bit_length()) + register(rows.bit_length())) * 3  # of loads, QK and SV
        return qk + self.operator("multiply") + buffers + register(4 * self.fmt.bits) + counters

    @property
    def adder(self) -> Resources:
        """What the adder of its products takes."""
        return float_operator("add", self.sum_fmt).cells

    def operator(self, operation: Operation) -> Resources:
        """What an operator of `fmt` takes."""
        return float_operator(operation, self.fmt).cells

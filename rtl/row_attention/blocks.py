"""The contracts of the blocks that a row of attention passes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hwsim.rtl.attention_core.contract import AttentionCoreContract
from hwsim.rtl.contract import Contract, ContractError
from hwsim.rtl.divide_out.contract import DivideOutContract
from hwsim.rtl.row_sum.contract import RowSumContract
from hwsim.rtl.z_reduce.contract import ZReduceContract


@dataclass(frozen=True, kw_only=True)
class RowBlocks:
    """What the golden model is made of.

    Attributes
    ----------
    row_max : the reduction of scores to their maximum; None for a softmax that subtracts none

    Raises
    ------
    ContractError : contracts that do not fit together
    """

    core: AttentionCoreContract
    z_reduce: ZReduceContract
    row_sum: RowSumContract
    divide_out: DivideOutContract
    row_max: RowSumContract | None = None

    def __post_init__(self) -> None:
        fmt, sum_fmt = self.core.fmt, self.row_sum.sum_fmt
        _require("attention_core", self.core, softmax="safe" if self.row_max else "plain")
        _require("row_sum", self.row_sum, fmt=fmt, operation="sum")
        _require("z_reduce", self.z_reduce, cores=self.cores, fmt=fmt, sum_fmt=sum_fmt)
        _require("divide_out", self.divide_out, fmt=fmt, sum_fmt=sum_fmt)
        if self.row_max:
            _require("row_max", self.row_max, operation="maximum", cores=self.cores, fmt=fmt, sum_fmt=fmt)

    @property
    def cores(self) -> int:
        return self.row_sum.cores

    @property
    def plain(self) -> RowBlocks:
        """The paper's form: no maximum is subtracted."""
        core, divide_out = replace(self.core, softmax="plain"), replace(self.divide_out, extra=1)
        return replace(self, core=core, row_max=None, divide_out=divide_out)

    @property
    def safe(self) -> RowBlocks:
        """With a running maximum, whose reduction is like that of the exps unless it is given."""
        like_sum = replace(self.row_sum, operation="maximum", sum_fmt=self.core.fmt)
        core, divide_out = replace(self.core, softmax="safe"), replace(self.divide_out, extra=2)
        return replace(self, core=core, row_max=self.row_max or like_sum, divide_out=divide_out)

    @property
    def contracts(self) -> dict[str, Contract]:
        """By the name that each has here."""
        made = {"attention_core": self.core, "z_reduce": self.z_reduce, "row_sum": self.row_sum}
        maximum = {"row_max": self.row_max} if self.row_max else {}
        return {**made, **maximum, "divide_out": self.divide_out}


def _require(name: str, contract: Contract, **expected: Any) -> None:
    for parameter, value in expected.items():
        found = getattr(contract, parameter)
        if found != value:
            raise ContractError(f"{name}: {parameter} must be {value} beside the other blocks, got {found}")

"""The contracts of the units, made of the machine's parameters for heads of some size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hwsim.errors import MachineError
from hwsim.machines.swat.rows.bursts import RowsInMemory
from hwsim.machines.swat.rows.head import Layout
from hwsim.machines.swat.spec import SwatSpec
from hwsim.mapping.formats import Float
from hwsim.rtl.attention_core.contract import AttentionCoreContract
from hwsim.rtl.contract import ContractError
from hwsim.rtl.divide_out.contract import DivideOutContract
from hwsim.rtl.row_scheduler.contract import RowSchedulerContract
from hwsim.rtl.row_sum.contract import RowSumContract
from hwsim.rtl.z_reduce.contract import ZReduceContract

if TYPE_CHECKING:
    from hwsim.machines.swat.rows.player import Heads
    from hwsim.mapping.cores.plan import CorePlan


@contextmanager
def _as_parameters(machine: str) -> Iterator[None]:
    try:
        yield
    except ContractError as cause:
        raise MachineError(f"{machine}: {cause}") from None


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """Units for heads of `head_dim` elements, which may be fewer than the cores have room for: loops end earlier.

    Attributes
    ----------
    bias_entries : of a head's table of biases; 0 for scores without
    table_entries : loads that a table must name, where no counter gives their order
    """

    spec: SwatSpec
    head_dim: int
    bias_entries: int = 0
    table_entries: int = 0

    @classmethod
    def built(cls, spec: SwatSpec, *, bias_entries: int = 0, table_entries: int = 0) -> Design:
        """The units as they are built, for the largest head."""
        return cls(spec=spec, head_dim=spec.head_dim, bias_entries=bias_entries, table_entries=table_entries)

    @cached_property
    def heads(self) -> dict[tuple[CorePlan, int], Heads]:
        """Heads of plans, by their number: kept as long as the design."""
        return {}

    @property
    def table_rows(self) -> int:
        """Rows in which a table of biases comes to all cores at a head's beginning, half over the stream of K."""
        return -(-self.bias_entries // (2 * self.head_dim))

    @property
    def preset(self) -> str:
        return "published" if self.spec.format == "fp16" else "published_fp32"

    @cached_property
    def layout(self) -> Layout:
        """How a head's rows lie in memory: a partial row fills whole accesses of it."""
        spec = self.spec
        block, access = spec.hbm.burst_bytes, spec.standard.column_bytes
        element, wide = spec.fmt.bits // 8, spec.sum_fmt.bits // 8
        partial = -(-(self.head_dim + spec.extra) * wide // access) * access
        sizes = {"row": self.head_dim * element, "result": self.head_dim * element, "partial": partial}
        for name, size in sizes.items():
            if size > block:
                which = "partial row" if name == "partial" else name
                raise MachineError(
                    f"{spec.name}: hbm.burst_bytes: a burst of {block} B does not hold a {which} of {size} B"
                )
        rows = {name: RowsInMemory(row_bytes=size, block_bytes=block) for name, size in sizes.items()}
        return Layout(**rows, ahead=max(spec.hbm.ahead_rows, rows["row"].per_block, spec.loaders))

    @cached_property
    def scheduler(self) -> RowSchedulerContract:
        """LOAD."""
        spec = self.spec
        with _as_parameters(spec.name):
            return RowSchedulerContract.from_preset(
                self.preset, head_dim=self.head_dim, loaders=spec.loaders, interval=spec.load_interval,
                latency=spec.load_latency, cores=spec.cores, entries=self.table_entries,
            )  # fmt: skip

    @cached_property
    def core(self) -> AttentionCoreContract:
        """QK and SV."""
        spec = self.spec
        with _as_parameters(spec.name):
            return AttentionCoreContract.from_preset(
                self.preset, head_dim=self.head_dim, sum_fmt=spec.qk_sum_fmt, qk_interval=spec.qk_interval,
                qk_latency=spec.qk_latency, sv_interval=spec.sv_interval, sv_latency=spec.sv_latency,
                softmax=spec.softmax, biased=bool(self.bias_entries), bias_latency=spec.bias_latency,
            )  # fmt: skip

    @cached_property
    def vectors(self) -> ZReduceContract:
        """ZRED1 and ZRED2."""
        spec = self.spec
        with _as_parameters(spec.name):
            return ZReduceContract.from_preset(
                self.preset, head_dim=self.head_dim, cores=spec.cores, group=spec.reduction_group, sum_fmt=spec.sum_fmt,
                order=spec.reduce_order, interval=spec.reduce_interval, latency=spec.reduce_latency,
            )  # fmt: skip

    @cached_property
    def sums(self) -> RowSumContract:
        """ROWSUM1 and ROWSUM2."""
        return self._numbers("sum", self.spec.sum_fmt)

    @cached_property
    def maxima(self) -> RowSumContract:
        """MAX1 and MAX2, of the safe softmax."""
        return self._numbers("maximum", self.spec.fmt)

    @cached_property
    def divider(self) -> DivideOutContract:
        """DIV&OUT."""
        spec = self.spec
        with _as_parameters(spec.name):
            return DivideOutContract.from_preset(
                self.preset, head_dim=self.head_dim, sum_fmt=spec.sum_fmt, extra=spec.extra,
                interval=spec.divide_interval, latency=spec.divide_latency, pass_interval=spec.pass_interval,
                pass_latency=spec.pass_latency,
            )  # fmt: skip

    def _numbers(self, operation: str, sum_fmt: Float) -> RowSumContract:
        spec = self.spec
        with _as_parameters(spec.name):
            return RowSumContract.from_preset(
                self.preset, operation=operation, cores=spec.cores, group=spec.reduction_group, sum_fmt=sum_fmt,
                interval=spec.sum_interval, latency=spec.sum_latency,
            )  # fmt: skip

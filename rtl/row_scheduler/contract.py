"""Contract of the row scheduler: it loads a row of Q, and rows of K and V into the cores that need them next.

It has no RTL yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import FLOATS, FP16, FP32, Format
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, lut_memory, memory, register
from hwsim.rtl.float_operators import float_operator

STAGES = "SWAT's table of stages, FP16: remembered, confidence .9"


@dataclass(frozen=True, kw_only=True)
class RowSchedulerContract(Contract):
    """Loads of a stage LOAD: a row of Q beside rows of K and V, an element of each stream every `interval` cycles.

    Which core a row goes to is a static table (the paper: core j mod 2w for a window, addresses fixed at design time
    for random attention). A row goes into the bank that its core does not use.

    Attributes
    ----------
    head_dim : elements of a row, H
    loaders : rows of K, and as many of V, that are loaded side by side
    interval, latency : cycles from element to element, and beyond the last one
    cores : that rows are loaded into
    entries : loads that a table names, for a pattern whose order no counter makes; 0 for a window alone
    index_bits : of a key's number in such a table
    """

    block: ClassVar[str] = "row_scheduler"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"source": f"{STAGES}: LOAD 66 = 64 + 2"},
        "published_fp32": {"fmt": FP32, "source": f"{STAGES}: LOAD 66 = 64 + 2; the same assumed for FP32"},
    }

    fmt: Format = FP16
    head_dim: int = 64
    loaders: int = 1
    interval: int = 1
    latency: int = 2
    cores: int = 512
    entries: int = 0
    index_bits: int = 16

    def __post_init__(self) -> None:
        require_float(self, "fmt")
        self.require_range("head_dim", 1, 4096)
        self.require_range("loaders", 1, 64)
        self.require_range("interval", 1, 64)
        self.require_range("latency", 0, 1024)
        self.require_range("cores", 1, 1 << 16)
        self.require_range("entries", 0, 1 << 24)
        self.require_range("index_bits", 1, 32)

    def cycles(self, work: int) -> int:
        """Cycles of a stage LOAD with `work` rows of K and of V; a row of Q passes beside the first of them."""
        return self.interval * self.head_dim * max(1, -(-work // self.loaders)) + self.latency

    def free_loads(self, cycles: int) -> int:
        """Rows of K and of V that can be loaded within some cycles."""
        return (cycles - self.latency) // (self.interval * self.head_dim) * self.loaders

    def resources(self) -> Resources:
        """A multiplier that scales Q, its banks, counters of elements, rows and cores for each loader, and the table.

        A row of K and one of V go to the same core, which has a LUT that tells its number from others'.
        """
        core, element = self.cores.bit_length(), self.head_dim.bit_length()
        counters = (adder(element) + adder(self.index_bits) + adder(core)) * self.loaders
        kept = (
            register(element + self.index_bits + core + 2 * self.fmt.bits) * self.loaders
        )  # and an element of K and V
        chosen = Resources(lut=self.cores * self.loaders)
        table = memory(self.entries, self.index_bits + core) if self.entries else Resources()
        query = float_operator("multiply", self.fmt).cells + lut_memory(2 * self.head_dim, self.fmt.bits)
        return query + counters + kept + chosen + table


def require_float(contract: Contract, name: str) -> None:
    """Check one parameter that is a floating-point format.

    Raises
    ------
    ContractError : it is a format of another kind
    """
    fmt = getattr(contract, name)
    if fmt not in FLOATS.values():
        raise ContractError(f"{contract.block}: {name} must be one of {', '.join(FLOATS)}, got {fmt}")

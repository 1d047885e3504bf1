"""Contract of an array of floating-point multiply-accumulates for tiles of rows times a matrix. It has no RTL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from hwsim.mapping.formats import FP16, FP32, Format
from hwsim.rtl.contract import Contract, Resources
from hwsim.rtl.estimates import memory
from hwsim.rtl.float_operators import conversion, float_operator
from hwsim.rtl.row_scheduler.contract import require_float


class MatrixTile(NamedTuple):
    """`rows` vectors through a matrix of (d_out, d_in), whose weights and biases are there."""

    rows: int
    d_in: int
    d_out: int


@dataclass(frozen=True, kw_only=True)
class MatrixUnitContract(Contract):
    """`array_rows` x `columns` multiply-accumulates; the sums stay where they are made.

    In a cycle each row of the array has an element of a vector, each column a weight, and all products of the two are
    added to sums. A sum can take its next product only when the addition before is done, so that every
    multiply-accumulate has a sum for each of several vectors, which take turns: `tile_rows / array_rows` of them. With
    fewer vectors than `array_rows * add_latency` the array waits for its adders. When `columns` outputs of all vectors
    of a tile are summed up, they leave a vector a cycle while the next ones are summed in a second bank. Sums begin at
    the bias. Outputs and vectors that do not fill the array are padded, and computed.

    Attributes
    ----------
    fmt : of vectors, weights, products and results
    sum_fmt : of sums
    array_rows, columns : of the array
    tile_rows : most vectors of a tile
    multiply_latency, add_latency : cycles from operands to result
    """

    block: ClassVar[str] = "matrix_unit"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "assumed": {"source": "ours: an output-stationary array; latencies of operators assumed"}
    }

    fmt: Format = FP16
    sum_fmt: Format = FP32
    array_rows: int = 8
    columns: int = 96
    tile_rows: int = 128
    multiply_latency: int = 4
    add_latency: int = 8

    def __post_init__(self) -> None:
        for name in ("fmt", "sum_fmt"):
            require_float(self, name)
        self.require_range("array_rows", 1, 1024)
        self.require_range("columns", 1, 1 << 14)
        self.require_range("tile_rows", 1, 1 << 16)
        for name in ("multiply_latency", "add_latency"):
            self.require_range(name, 1, 64)

    @property
    def macs_per_cycle(self) -> int:
        """Multiply-accumulates of the array."""
        return self.array_rows * self.columns

    @property
    def latency(self) -> int:
        """Cycles from the last operands of a sum to its first result: product, sum, and a register behind rounding."""
        return self.multiply_latency + self.add_latency + 1

    def groups(self, d_out: int) -> int:
        """Times that the array is filled with outputs."""
        return -(-d_out // self.columns)

    def busy_cycles(self, work: MatrixTile) -> int:
        """Cycles in which the array accumulates, or waits for its own adders."""
        return self.groups(work.d_out) * self._accumulation(work)

    def cycles(self, work: MatrixTile) -> int:
        """Cycles of a tile, until its last output has left."""
        if not all(work):
            return 0
        first = self._accumulation(work)
        return first + (self.groups(work.d_out) - 1) * max(first, work.rows) + work.rows + self.latency

    def _accumulation(self, work: MatrixTile) -> int:
        """Cycles in which one group of outputs is summed up."""
        turns = -(-work.rows // self.array_rows)
        return work.d_in * max(turns, self.add_latency)

    def resources(self) -> Resources:
        """The operators, and the two banks of sums of a column; buffers for vectors and weights are apart."""
        return self.mac() * self.macs_per_cycle + self._sums() * self.columns

    def mac(self) -> Resources:
        """The resources of one multiply-accumulate."""
        return multiply_accumulate(self.fmt, self.sum_fmt)

    def _sums(self) -> Resources:
        """One word a row of the array side by side, since all rows work on the same turn."""
        turns = -(-self.tile_rows // self.array_rows)
        return memory(2 * turns, self.array_rows * self.sum_fmt.bits)


def multiply_accumulate(fmt: Format, sum_fmt: Format) -> Resources:
    """A product in one format that is added in another."""
    return float_operator("multiply", fmt).cells + conversion(fmt, sum_fmt) + float_operator("add", sum_fmt).cells

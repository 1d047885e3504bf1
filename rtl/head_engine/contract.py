"""Contract of an engine with a multiply-accumulate tile for each head of attention; all matrices share it.

It has no RTL of ours. Each of its tiles is a `mac_tile`, whose latency and resources it takes over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, Resources, part_of
from hwsim.rtl.mac_tile.contract import MacTileContract


class MatrixWork(NamedTuple):
    """`rows` vectors through a matrix of (d_out, d_in)."""

    rows: int
    d_in: int
    d_out: int


@dataclass(frozen=True, kw_only=True)
class HeadEngineContract(Contract):
    """`heads` tiles of `out_lanes` x `in_lanes` products a cycle.

    With a matrix all tiles work on the same vector: the tile of each head has outputs of its own, so that `heads *
    out_lanes` outputs come at a time. In attention each tile works on its own head, `out_lanes` keys (or elements of a
    value) at a time; with more heads than tiles they take turns, with fewer some tiles rest. What does not fill the
    lanes is padded, and computed.

    Attributes
    ----------
    product_stages, adder_levels, output_stages : of each tile, see `MacTileContract`
    """

    block: ClassVar[str] = "head_engine"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "source": "M3ViT: 12 heads in parallel; published latencies and work give 1,531 to 1,533 products a cycle, "
            "so 128 a head that never wait; how they are arranged is assumed, the latency is our mac_tile's"
        }
    }

    heads: int = 12
    out_lanes: int = 16
    in_lanes: int = 8
    product_stages: int = 3
    adder_levels: int = 2
    output_stages: int = 0
    activation: Fixed = Fixed(width=16, integer=8)
    weight: Fixed = Fixed(width=16, integer=2)
    bias: Fixed = Fixed(width=16, integer=5)
    accumulator: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("heads", 1, 1024)
        _ = self.tile  # checks the rest

    @property
    def tile(self) -> MacTileContract:
        """The tile of a head."""
        with part_of(self.block):
            return MacTileContract(
                in_lanes=self.in_lanes,
                out_lanes=self.out_lanes,
                product_stages=self.product_stages,
                adder_levels=self.adder_levels,
                output_stages=self.output_stages,
                activation=self.activation,
                weight=self.weight,
                bias=self.bias,
                accumulator=self.accumulator,
            )

    @property
    def macs_per_cycle(self) -> int:
        """Multiply-accumulates of all tiles."""
        return self.heads * self.out_lanes * self.in_lanes

    @property
    def latency(self) -> int:
        """Clock edges from the last tile of a sum to the sum."""
        return self.tile.latency

    def matrix_tiles(self, d_in: int, d_out: int) -> int:
        """Cycles of a vector through a matrix."""
        return -(-d_out // (self.heads * self.out_lanes)) * -(-d_in // self.in_lanes)

    def score_tiles(self, heads: int, head_dim: int, keys: int) -> int:
        """Cycles of a query's scores for all its heads."""
        return self._turns(heads) * -(-keys // self.out_lanes) * -(-head_dim // self.in_lanes)

    def value_tiles(self, heads: int, head_dim: int, keys: int) -> int:
        """Cycles of a query's sums of values for all its heads."""
        return self._turns(heads) * -(-head_dim // self.out_lanes) * -(-keys // self.in_lanes)

    def _turns(self, heads: int) -> int:
        return -(-heads // self.heads)

    def cycles(self, work: MatrixWork) -> int:
        """Cycles of some vectors through a matrix, whose weights are there."""
        tiles = work.rows * self.matrix_tiles(work.d_in, work.d_out)
        return tiles + self.latency if tiles else 0

    def resources(self) -> Resources:
        """All tiles; buffers are apart."""
        return self.tile.resources() * self.heads

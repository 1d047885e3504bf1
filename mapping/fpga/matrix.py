"""A matrix in tiles, and in passes where it is larger than the buffer for weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from hwsim.mapping.errors import MappingError
from hwsim.mapping.fpga.target import FpgaTarget, LinearShape


@dataclass(frozen=True, kw_only=True)
class MatrixPass:
    """The part of a matrix that lies in the buffer at the same time; all sizes in tiles.

    Attributes
    ----------
    accumulates : its results are added to those of the passes before it, which had other inputs
    """

    first_in: int
    in_tiles: int
    first_out: int
    out_tiles: int
    accumulates: bool = False

    @property
    def words(self) -> int:
        """Tiles of weights."""
        return self.in_tiles * self.out_tiles


@dataclass(frozen=True, kw_only=True)
class TiledMatrix:
    """A matrix of (d_out, d_in), one or `count` of the same shape.

    A pass takes all inputs of some outputs. Where not even one tile of outputs fits so, or the unit cannot keep all
    inputs of a token, the inputs are divided too, and the passes over the same outputs add up.

    Attributes
    ----------
    shape : of the unit that multiplies with it
    weights, bias : identities of the tables; no bias if None
    """

    operator: str
    d_in: int
    d_out: int
    target: FpgaTarget
    shape: LinearShape
    weights: str
    bias: str | None
    count: int = 1

    @property
    def in_tiles(self) -> int:
        """Tiles of inputs; a token's row is padded, and zeros are multiplied too."""
        return self.target.padded(self.d_in) // self.shape.in_lanes

    @property
    def out_tiles(self) -> int:
        return self.target.padded(self.d_out) // self.shape.out_lanes

    @property
    def padding(self) -> int:
        """Products a token that are computed and belong to no weight."""
        tiles = self.in_tiles * self.out_tiles
        return tiles * self.shape.in_lanes * self.shape.out_lanes - self.d_in * self.d_out

    @cached_property
    def passes(self) -> tuple[MatrixPass, ...]:
        """In the order in which they are carried out."""
        return tuple(self._passes())

    def _passes(self) -> Iterator[MatrixPass]:
        target, shape = self.target, self.shape
        most = min(shape.input_tiles, shape.weight_words)
        inputs = _part(self.in_tiles, most, target.tiles_a_beat(shape.in_lanes, target.weight_bytes), self)
        most = min(shape.weight_words // inputs, shape.bias_words)
        outputs = _part(self.out_tiles, most, target.tiles_a_beat(shape.out_lanes, target.activation_bytes), self)
        for first_out in range(0, self.out_tiles, outputs):
            for first_in in range(0, self.in_tiles, inputs):
                yield MatrixPass(
                    first_in=first_in,
                    in_tiles=min(inputs, self.in_tiles - first_in),
                    first_out=first_out,
                    out_tiles=min(outputs, self.out_tiles - first_out),
                    accumulates=first_in > 0,
                )

    @property
    def divides_inputs(self) -> bool:
        """Whether several passes add up to a result."""
        return any(part.accumulates for part in self.passes)


def _part(tiles: int, most: int, together: int, matrix: TiledMatrix) -> int:
    """Tiles of a part: all, or as many as there is room for, in whole beats.

    Raises
    ------
    MappingError : there is no room for the tiles of one beat
    """
    if tiles <= most:
        return tiles
    part = most // together * together
    if not part:
        raise MappingError(
            f"{matrix.target.machine}: {matrix.operator}: {together} tiles share a beat, and the buffers of "
            f"{matrix.shape.weight_words} tiles of weights leave room for {most}"
        )
    return part

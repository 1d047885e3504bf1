"""The properties of an FPGA accelerator, for the compiler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import lcm
from typing import Literal, get_args

from hwsim.mapping.errors import MappingError
from hwsim.mapping.operators import ExpertFfn, Operator


@dataclass(frozen=True, kw_only=True)
class LinearShape:
    """A unit that multiplies tokens with a matrix, tile by tile, and the loader of its weights.

    Attributes
    ----------
    unit, loader : their names
    in_lanes, out_lanes : a tile of a matrix is `out_lanes` x `in_lanes` weights
    input_tiles : tiles of a token's inputs that the unit keeps while it computes the outputs
    weight_words, bias_words : tiles of weights, and tiles of outputs with biases, that a bank of weights holds
    banks : of weights; with two, one is loaded while the other is used
    """

    unit: str
    loader: str
    in_lanes: int
    out_lanes: int
    input_tiles: int
    weight_words: int
    bias_words: int
    banks: int = 2


# Types of layers, each of which may have a linear unit of its own.
LinearType = Literal["attention", "ffn", "experts"]
LINEAR_TYPES: tuple[LinearType, ...] = get_args(LinearType)
# Matrices around attention lie in one array, a layer after the other: queries, keys, values, projection.
ATTENTION_ROLES = ("q", "k", "v", "proj")


def linear_type(op: Operator) -> LinearType:
    """The type of layer that an operator with matrices belongs to."""
    if isinstance(op, ExpertFfn):
        return "experts"
    return "attention" if op.role in ATTENTION_ROLES else "ffn"


@dataclass(frozen=True, kw_only=True)
class FpgaTarget:
    """Units that read and write buffers in memory, and a unit for matrices whose weights wait in a buffer of its own.

    Attributes
    ----------
    machine : name, for messages
    unit_of : the unit of each operator kind that it can carry out
    linears : the linear unit of each type of layer; several types may have the same
    embed_lanes : features of a tile of the patch embedding
    beat_bytes : bytes of a beat at the ports; rows of a buffer are whole beats
    activation_bytes, weight_bytes, pixel_bytes : bytes of a number in memory
    functions : activation functions that the linear unit can apply to its results
    buffer_of : the buffer that a result goes to, by what its operator is to the model (its role), or by its kind
    port_of : the port of each buffer and of all learned parameters (`weights`)
    base_address, align_bytes, size_bytes : where buffers begin, to what each is aligned, what the memory holds
    """

    machine: str
    unit_of: Mapping[str, str]
    linears: Mapping[LinearType, LinearShape]
    embed_lanes: int
    beat_bytes: int
    activation_bytes: int
    weight_bytes: int
    pixel_bytes: int
    functions: tuple[str, ...]
    buffer_of: Mapping[str, str]
    port_of: Mapping[str, str]
    base_address: int
    align_bytes: int
    size_bytes: int

    def __post_init__(self) -> None:
        for shape in self.shapes:
            for name, tile in (("in_lanes", shape.in_lanes), ("out_lanes", shape.out_lanes)):
                size = tile * self.activation_bytes
                if size % self.beat_bytes and self.beat_bytes % size:
                    raise MappingError(
                        f"{self.machine}: a tile of {tile} numbers ({name}) is {size} B, expected a multiple or a "
                        f"part of a beat of {self.beat_bytes} B"
                    )
            if shape.weight_words < 1 or shape.bias_words < 1 or shape.input_tiles < 1:
                raise MappingError(f"{self.machine}: buffers of weights, biases and inputs must hold a tile at least")

    @property
    def shapes(self) -> tuple[LinearShape, ...]:
        """The linear units, each once."""
        return tuple(dict.fromkeys(self.linears.values()))

    def linear(self, op: Operator) -> LinearShape:
        """The linear unit of an operator."""
        return self.linears[linear_type(op)]

    @property
    def row_multiple(self) -> int:
        """Numbers of a row come in multiples of this: whole tiles on both sides of a matrix, whole beats of either."""
        tiles = (lanes for shape in self.shapes for lanes in (shape.in_lanes, shape.out_lanes))
        beats = (max(1, self.beat_bytes // size) for size in (self.activation_bytes, self.weight_bytes))
        return lcm(*tiles, *beats)

    def padded(self, width: int) -> int:
        """Numbers of a token's row in a buffer."""
        return -(-width // self.row_multiple) * self.row_multiple

    def row_bytes(self, width: int) -> int:
        """Bytes of a token's row in a buffer."""
        return self.padded(width) * self.activation_bytes

    def bias_bytes(self, width: int, lanes: int) -> int:
        """Bytes of the biases of a matrix: a tile of `lanes` outputs begins a beat."""
        tile = -(-lanes * self.weight_bytes // self.beat_bytes) * self.beat_bytes
        return self.padded(width) // lanes * tile

    def tiles_a_beat(self, lanes: int, number_bytes: int) -> int:
        """Tiles of `lanes` numbers that share a beat; 1 where each has a beat or several."""
        return max(1, self.beat_bytes // (lanes * number_bytes))

    def buffer(self, op: Operator) -> str:
        """The buffer that an operator's result goes to.

        Raises
        ------
        MappingError : none is named for it
        """
        for key in (op.role, op.kind):
            if key and key in self.buffer_of:
                return self.buffer_of[key]
        raise MappingError(f"{self.machine}: {op.name}: has no buffer for the result of {op.role or op.kind}")

    def port(self, buffer: str) -> str:
        """The port of a buffer.

        Raises
        ------
        MappingError : it has none
        """
        if buffer not in self.port_of:
            raise MappingError(f"{self.machine}: buffer {buffer} has no port; there are {', '.join(self.port_of)}")
        return self.port_of[buffer]

"""What an operator is: a typed node that infers its output and counts its work."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import TensorFormat, stored_bytes
from hwsim.mapping.step import Step

# Sizes that each step sets: the tokens that pass together, the sequences of which a result comes out, the tokens of
# a sequence held so far, the tokens of the other sequence that cross-attention reads.
Symbol = Literal["tokens", "outputs", "context", "source"]


@dataclass(frozen=True, kw_only=True)
class PerSequence:
    """A size that does not change: `count` rows of each sequence (or image) of the batch."""

    count: int

    def __str__(self) -> str:
        return f"{self.count} each"


Dim = int | Symbol | PerSequence

# What an operator is to its model. Code decides by these; names are for people.
Role = Literal[
    "embed", "norm1", "qkv", "proj", "post_norm1", "add1", "norm2", "ffn1", "gate", "up", "ffn2", "post_norm2", "add2",
    "final_norm", "lm_head",
    "embed_norm", "q", "k", "v", "global_q", "global_k", "global_v", "route", "experts", "merge_norm", "merge",
    "pooler", "classifier",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A value on an edge of the graph. Its first size counts over the whole batch, the others for one sequence."""

    name: str
    shape: tuple[Dim, ...]
    fmt: TensorFormat

    def elements(self, step: Step) -> int:
        return elements(self.shape, step)

    def bytes(self, step: Step) -> int:
        """Bytes that it takes in one step, scales of its format included."""
        down = rows(self.shape[0], step)
        return stored_bytes(self.fmt, down, elements(self.shape, step) // down if down else 0)

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.shape))}] {self.fmt}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Learned parameters that lie in a memory.

    Attributes
    ----------
    identity : operators with a table of the same identity share it
    rows, columns : a matrix has a row an output; a vector has one row
    count : matrices of that size, each with scales of its own: one an expert
    """

    identity: str
    rows: int
    columns: int
    fmt: TensorFormat
    count: int = 1

    @property
    def elements(self) -> int:
        return self.count * self.rows * self.columns

    @property
    def bytes(self) -> int:
        """Bytes that it takes, scales of its format included."""
        return self.count * stored_bytes(self.fmt, self.rows, self.columns)


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Base of all operators; each further kind is one file beside this one.

    Attributes
    ----------
    name : unique in its graph; also the name of the tensor that it makes
    inputs : names of the operators (or graph inputs) that it reads
    fmt : number format of its output
    input_fmts : number format of each input; that of the output unless given. A tensor of another format is refused:
        a conversion is an operator of its own
    layer : the layer that it belongs to, counted from 0; None outside the layers
    role : what it is to its model, where that matters to anyone
    """

    kind: ClassVar[str]
    # Whether it only names a part of a tensor that lies there already.
    is_view: ClassVar[bool] = False
    name: str
    inputs: tuple[str, ...]
    fmt: TensorFormat
    input_fmts: tuple[TensorFormat, ...] | None = None
    layer: int | None = None
    role: Role | None = None

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The output tensor, after checking the inputs.

        Raises
        ------
        GraphError : a shape or format that this operator cannot take
        """
        raise NotImplementedError

    def macs(self, step: Step) -> int:
        """Multiply-accumulates in one step."""
        return 0

    def element_ops(self, step: Step) -> int:
        """Results of vector work (norm, activation, addition, softmax) in one step."""
        return 0

    def special_functions(self, step: Step) -> int:
        """exp, reciprocal and reciprocal-square-root results in one step."""
        return 0

    @property
    def tables(self) -> tuple[Table, ...]:
        """Learned parameters that it uses."""
        return ()

    @property
    def weights(self) -> int:
        """Number of learned parameters that it uses, shared ones too."""
        return sum(table.elements for table in self.tables)

    @property
    def weight_bytes(self) -> int:
        return sum(table.bytes for table in self.tables)

    def weight_bytes_read(self, step: Step) -> int:
        """Bytes of its tables that one step reads: all of them once, but for lookups and experts."""
        return self.weight_bytes

    def state_bytes(self, step: Step) -> int:
        """Bytes that persist from step to step."""
        return 0

    def describe(self) -> str:
        """The operator's own parameters, for dumps."""
        return ""

    def input_fmt(self, index: int) -> TensorFormat:
        """Number format that it expects of an input."""
        return self.fmt if self.input_fmts is None else self.input_fmts[index]


def elements(shape: tuple[Dim, ...], step: Step) -> int:
    """Elements of a tensor of some sizes in one step."""
    return rows(shape[0], step) * prod(length(dim, step) for dim in shape[1:])


def rows(dim: Dim, step: Step) -> int:
    """A tensor's first size in one step, over all sequences of the batch."""
    match dim:
        case "tokens":
            return step.tokens
        case "outputs":
            return step.outputs
        case "context" | "source":
            return step.batch * length(dim, step)
        case PerSequence(count=count):
            return step.batch * count
        case _:
            return dim


def length(dim: Dim, step: Step) -> int:
    """A size in one step for one sequence."""
    match dim:
        case "tokens":
            return step.queries
        case "outputs":
            return 1
        case "context":
            return step.context
        case "source":
            return step.source
        case PerSequence(count=count):
            return count
        case _:
            return dim


def take(op: Operator, inputs: tuple[Tensor, ...], count: int) -> tuple[Tensor, ...]:
    """`inputs` after checking their number and formats.

    Raises
    ------
    GraphError : too few or too many inputs, or one of another format
    """
    if len(inputs) != count:
        raise GraphError(f"{op.name}: {op.kind} takes {count} inputs, got {len(inputs)}")
    if op.input_fmts is not None and len(op.input_fmts) != count:
        raise GraphError(f"{op.name}: {op.kind} takes {count} inputs, got formats of {len(op.input_fmts)}")
    for index, tensor in enumerate(inputs):
        if tensor.fmt != op.input_fmt(index):
            raise GraphError(
                f"{op.name}: input {tensor.name} is {tensor.fmt}, expected {op.input_fmt(index)}; "
                "a conversion is an operator of its own"
            )
    return inputs


def require_shape(op: Operator, tensor: Tensor, *shape: Dim) -> None:
    """Check that a tensor has a shape.

    Raises
    ------
    GraphError : it has another
    """
    if tensor.shape != shape:
        raise GraphError(f"{op.name}: input {tensor} where {op.kind} expects [{', '.join(map(str, shape))}]")

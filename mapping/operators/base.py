"""What an operator is: a typed node that infers its output and counts its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import Format
from hwsim.mapping.workload import Step

# A size that is fixed, or one that each step sets: the tokens that pass together, the keys held so far.
Dim = int | Literal["tokens", "context"]


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A value on an edge of the graph."""

    name: str
    shape: tuple[Dim, ...]
    fmt: Format

    def elements(self, step: Step) -> int:
        count = 1
        for dim in self.shape:
            count *= size(dim, step)
        return count

    def bytes(self, step: Step) -> int:
        return (self.elements(step) * self.fmt.bits + 7) // 8

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.shape))}] {self.fmt}"


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Base of all operators; each further kind is one file beside this one.

    Attributes
    ----------
    name : unique in its graph; also the name of the tensor that it makes
    inputs : names of the operators (or graph inputs) that it reads
    fmt : number format of its inputs and its output; a conversion would be an operator of its own
    """

    kind: ClassVar[str]
    name: str
    inputs: tuple[str, ...]
    fmt: Format

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
    def weights(self) -> int:
        """Learned parameters that this operator holds."""
        return 0

    @property
    def weight_bytes(self) -> int:
        return (self.weights * self.fmt.bits + 7) // 8

    def state_bytes(self, step: Step) -> int:
        """Bytes that persist from step to step."""
        return 0

    def describe(self) -> str:
        """The operator's own parameters, for dumps."""
        return ""


def size(dim: Dim, step: Step) -> int:
    """A dimension in one step."""
    match dim:
        case "tokens":
            return step.tokens
        case "context":
            return step.context
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
    for tensor in inputs:
        if tensor.fmt != op.fmt:
            raise GraphError(f"{op.name}: input {tensor.name} is {tensor.fmt}, expected {op.fmt}")
    return inputs


def require_width(op: Operator, tensor: Tensor, width: int) -> None:
    """Check that a tensor is (tokens, width)."""
    if tensor.shape != ("tokens", width):
        raise GraphError(f"{op.name}: input {tensor} where {op.kind} expects [tokens, {width}]")

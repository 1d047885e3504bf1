"""Normalisation over the last axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Dim, Operator, Table, Tensor, require_shape, rows, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class _Norm(Operator):
    """What they share: vectors of as many parameters as a row has elements."""

    title: ClassVar[str]
    width: int
    rows: Dim = "tokens"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, self.rows, self.width)
        return Tensor(name=self.name, shape=x.shape, fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return rows(self.rows, step) * self.width

    def special_functions(self, step: Step) -> int:
        return rows(self.rows, step)

    @property
    def vectors(self) -> int:
        """Number of the vectors of parameters."""
        raise NotImplementedError

    @property
    def tables(self) -> tuple[Table, ...]:
        return (Table(identity=f"{self.name}.weight", rows=self.vectors, columns=self.width, fmt=self.fmt),)

    def describe(self) -> str:
        return f"{self.title} {self.width}"


@dataclass(frozen=True, kw_only=True)
class LayerNorm(_Norm):
    """(x - mean) / sqrt(variance + eps) * gamma + beta over the last axis; without `bias` there is no beta."""

    kind: ClassVar[str] = "norm"
    title: ClassVar[str] = "layernorm"
    bias: bool = True

    @property
    def vectors(self) -> int:
        return 2 if self.bias else 1

    def describe(self) -> str:
        return f"{self.title} {self.width}{'' if self.bias else ' without bias'}"


@dataclass(frozen=True, kw_only=True)
class RmsNorm(_Norm):
    """x / sqrt(mean of squares + eps) * gamma over the last axis."""

    kind: ClassVar[str] = "rmsnorm"
    title: ClassVar[str] = "rmsnorm"

    @property
    def vectors(self) -> int:
        return 1

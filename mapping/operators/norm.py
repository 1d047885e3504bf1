"""Normalisation over the last axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Dim, Operator, Table, Tensor, require_shape, rows, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class _Norm(Operator):
    """What they share: `vectors` of as many parameters as a vector has elements."""

    vectors: ClassVar[int]
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
    def tables(self) -> tuple[Table, ...]:
        return (Table(identity=f"{self.name}.weight", rows=self.vectors, columns=self.width, fmt=self.fmt),)

    def describe(self) -> str:
        return f"{self.title} {self.width}"


@dataclass(frozen=True, kw_only=True)
class LayerNorm(_Norm):
    """(x - mean) / sqrt(variance + eps) * gamma + beta over the last axis."""

    kind: ClassVar[str] = "norm"
    title: ClassVar[str] = "layernorm"
    vectors: ClassVar[int] = 2


@dataclass(frozen=True, kw_only=True)
class RmsNorm(_Norm):
    """x / sqrt(mean of squares + eps) * gamma over the last axis."""

    kind: ClassVar[str] = "rmsnorm"
    title: ClassVar[str] = "rmsnorm"
    vectors: ClassVar[int] = 1

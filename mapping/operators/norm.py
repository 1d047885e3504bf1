"""Normalisation over the last axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Operator, Tensor, require_width, take
from hwsim.mapping.workload import Step


@dataclass(frozen=True, kw_only=True)
class _Norm(Operator):
    """What they share: `vectors` of as many parameters as a vector has elements."""

    vectors: ClassVar[int]
    title: ClassVar[str]
    width: int

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_width(self, x, self.width)
        return Tensor(name=self.name, shape=x.shape, fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return step.tokens * self.width

    def special_functions(self, step: Step) -> int:
        return step.tokens

    @property
    def weights(self) -> int:
        return self.vectors * self.width

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

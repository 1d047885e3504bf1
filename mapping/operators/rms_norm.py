"""Normalisation by the root mean square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mapping.operators.base import Operator, Tensor, require_width, take
from mapping.workload import Step


@dataclass(frozen=True, kw_only=True)
class RmsNorm(Operator):
    """x / sqrt(mean of squares + eps) * gamma over the last axis."""

    kind: ClassVar[str] = "rmsnorm"
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
        return self.width

    def describe(self) -> str:
        return f"rmsnorm {self.width}"

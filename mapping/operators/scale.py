"""A tensor times a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Operator, Tensor, require_shape, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Scale(Operator):
    """Each element times `factor` (Gemma's embedded tokens)."""

    kind: ClassVar[str] = "scale"
    width: int
    factor: float

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, "tokens", self.width)
        return Tensor(name=self.name, shape=x.shape, fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return step.tokens * self.width

    def describe(self) -> str:
        return f"{self.width} times {self.factor:g}"

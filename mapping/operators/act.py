"""Element-wise functions of one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hwsim.mapping.operators.base import Dim, Operator, Tensor, require_shape, rows, take
from hwsim.mapping.step import Step

ActFunction = Literal["gelu", "silu"]


@dataclass(frozen=True, kw_only=True)
class Act(Operator):
    """An activation function, element by element."""

    kind: ClassVar[str] = "act"
    width: int
    rows: Dim = "tokens"
    function: ActFunction = "gelu"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, self.rows, self.width)
        return Tensor(name=self.name, shape=x.shape, fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return rows(self.rows, step) * self.width

    def special_functions(self, step: Step) -> int:
        return 2 * rows(self.rows, step) * self.width  # an exp and a reciprocal each, GELU in its tanh form

    def describe(self) -> str:
        return f"{self.function} {self.width}"

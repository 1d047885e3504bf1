"""Element-wise functions of one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hwsim.mapping.operators.base import Operator, Tensor, require_width, take
from hwsim.mapping.workload import Step

ActFunction = Literal["gelu", "silu"]


@dataclass(frozen=True, kw_only=True)
class Act(Operator):
    """An activation function, element by element."""

    kind: ClassVar[str] = "act"
    width: int
    function: ActFunction = "gelu"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_width(self, x, self.width)
        return Tensor(name=self.name, shape=x.shape, fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return step.tokens * self.width

    def special_functions(self, step: Step) -> int:
        return 2 * step.tokens * self.width  # an exp and a reciprocal each, GELU in its tanh form

    def describe(self) -> str:
        return f"{self.function} {self.width}"

"""Element-wise functions of one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hwsim.mapping.operators.base import Dim, Operator, Tensor, require_shape, rows, take
from hwsim.mapping.step import Step

# `gelu` is GPT-2's tanh form, `gelu_erf` the exact one; `relu2` is the square of `relu`.
ActFunction = Literal["gelu", "gelu_erf", "silu", "relu", "relu2", "tanh"]

# Results of exp and reciprocal that an element needs. All are made of one of each, the exact GELU by Abramowitz and
# Stegun's 7.1.26, but for those that only compare.
SPECIAL_FUNCTIONS: dict[ActFunction, int] = {
    "gelu": 2,
    "gelu_erf": 2,
    "silu": 2,
    "relu": 0,
    "relu2": 0,
    "tanh": 2,
}


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
        return SPECIAL_FUNCTIONS[self.function] * rows(self.rows, step) * self.width

    def describe(self) -> str:
        return f"{self.function} {self.width}"

"""The gated linear unit of a transformer's MLP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.act import SPECIAL_FUNCTIONS, ActFunction
from hwsim.mapping.operators.base import Operator, Tensor, require_shape, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Glu(Operator):
    """activation(gate) * up, element by element; with SiLU as activation it is SwiGLU."""

    kind: ClassVar[str] = "glu"
    width: int
    function: ActFunction = "silu"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        for tensor in take(self, inputs, 2):
            require_shape(self, tensor, "tokens", self.width)
        return Tensor(name=self.name, shape=("tokens", self.width), fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return 2 * step.tokens * self.width  # the activation and the product

    def special_functions(self, step: Step) -> int:
        return SPECIAL_FUNCTIONS[self.function] * step.tokens * self.width

    def describe(self) -> str:
        return f"{self.function} gate {self.width}"

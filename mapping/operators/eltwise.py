"""Element-wise functions of two tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hwsim.mapping.operators.base import Dim, Operator, Tensor, require_shape, rows, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Eltwise(Operator):
    """Two tensors of one shape, combined element by element: the residual addition, or the Hadamard product."""

    kind: ClassVar[str] = "eltwise"
    width: int
    rows: Dim = "tokens"
    function: Literal["add", "hadamard"] = "add"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        for tensor in take(self, inputs, 2):
            require_shape(self, tensor, self.rows, self.width)
        return Tensor(name=self.name, shape=(self.rows, self.width), fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return rows(self.rows, step) * self.width

    def describe(self) -> str:
        return f"{self.function} {self.width}"

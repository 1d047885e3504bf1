"""Matrix times vector with learned weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Operator, Tensor, require_width, take
from hwsim.mapping.workload import Step


@dataclass(frozen=True, kw_only=True)
class Linear(Operator):
    """y = W x + b with W of (d_out, d_in); `weights_of` names the operator whose table W is, if it is shared."""

    kind: ClassVar[str] = "linear"
    d_in: int
    d_out: int
    bias: bool = True
    weights_of: str | None = None

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_width(self, x, self.d_in)
        return Tensor(name=self.name, shape=("tokens", self.d_out), fmt=self.fmt)

    def macs(self, step: Step) -> int:
        return step.tokens * self.d_in * self.d_out

    @property
    def weights(self) -> int:
        matrix = 0 if self.weights_of else self.d_in * self.d_out
        return matrix + (self.d_out if self.bias else 0)

    def describe(self) -> str:
        return f"{self.d_in} -> {self.d_out}{' + bias' if self.bias else ''}"

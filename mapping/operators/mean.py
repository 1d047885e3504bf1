"""The mean of a sequence's tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Dim, Operator, Tensor, require_shape, rows, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Mean(Operator):
    """One token that is the mean of all of its sequence or image."""

    kind: ClassVar[str] = "mean"
    width: int
    rows: Dim = "tokens"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, self.rows, self.width)
        return Tensor(name=self.name, shape=("outputs", self.width), fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return rows(self.rows, step) * self.width

    def describe(self) -> str:
        return f"of {self.rows} x {self.width}"

"""Rows put in the place of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Operator, PerSequence, Tensor, require_shape, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Scatter(Operator):
    """The second input's rows in the place of the first `count` tokens of each sequence of the first input.

    Attributes
    ----------
    stride : how far apart these tokens are
    """

    kind: ClassVar[str] = "scatter"
    width: int
    count: int
    stride: int = 1

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        x, new = take(self, inputs, 2)
        require_shape(self, x, "tokens", self.width)
        require_shape(self, new, PerSequence(count=self.count), self.width)
        return Tensor(name=self.name, shape=x.shape, fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return step.batch * self.count * self.width

    def describe(self) -> str:
        apart = f", {self.stride} apart" if self.stride > 1 else ""
        return f"the first {self.count} of each sequence{apart}, {self.width}"

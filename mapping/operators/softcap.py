"""Values kept between two bounds, smoothly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Dim, Operator, Tensor, require_shape, rows, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Softcap(Operator):
    """cap * tanh(x / cap), element by element (Gemma's logits); attention has its own cap as a field."""

    kind: ClassVar[str] = "softcap"
    width: int
    cap: float
    rows: Dim = "tokens"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, self.rows, self.width)
        return Tensor(name=self.name, shape=x.shape, fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return rows(self.rows, step) * self.width

    def special_functions(self, step: Step) -> int:
        return 2 * rows(self.rows, step) * self.width  # an exp and a reciprocal each, for the tanh

    def describe(self) -> str:
        return f"{self.width} capped at {self.cap:g}"

"""Row softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators.base import Operator, Tensor, take
from hwsim.mapping.patterns import Pattern
from hwsim.mapping.workload import Step


@dataclass(frozen=True, kw_only=True)
class Softmax(Operator):
    """Softmax of scaled scores: a row a token and head, over the keys that `pattern` grants."""

    kind: ClassVar[str] = "softmax"
    heads: int
    pattern: Pattern

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (scores,) = take(self, inputs, 1)
        if scores.shape != ("tokens", self.heads, "context"):
            raise GraphError(f"{self.name}: input {scores} where softmax expects [tokens, {self.heads}, context]")
        return Tensor(name=self.name, shape=scores.shape, fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return self.heads * step.batch * self.pattern.pairs(step.queries, step.context)

    def special_functions(self, step: Step) -> int:
        return self.element_ops(step) + self.heads * step.tokens

    def describe(self) -> str:
        return f"{self.heads} rows a token, {self.pattern}"

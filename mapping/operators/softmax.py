"""Row softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Dim, Operator, Tensor, length, require_shape, rows, take
from hwsim.mapping.patterns import Pattern
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Softmax(Operator):
    """Softmax of scaled scores: a row a token and head, over the keys that `pattern` grants.

    Attributes
    ----------
    queries, keys : the sizes that count the queries and the keys of a sequence
    """

    kind: ClassVar[str] = "softmax"
    heads: int
    pattern: Pattern
    queries: Dim = "tokens"
    keys: Dim = "context"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (scores,) = take(self, inputs, 1)
        require_shape(self, scores, self.queries, self.heads, self.keys)
        return Tensor(name=self.name, shape=scores.shape, fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        n_q, n_k = length(self.queries, step), length(self.keys, step)
        return step.batch * self.pattern.pairs_of_heads(n_q, n_k, self.heads)

    def special_functions(self, step: Step) -> int:
        return self.element_ops(step) + self.heads * rows(self.queries, step)

    def describe(self) -> str:
        return f"{self.heads} rows a token, {self.pattern}"

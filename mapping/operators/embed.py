"""Embedding lookup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators.base import Operator, Tensor, take
from hwsim.mapping.workload import Step


@dataclass(frozen=True, kw_only=True)
class Embed(Operator):
    """A token's row of the vocabulary table, plus its position's row where the model learned `positions` of them."""

    kind: ClassVar[str] = "embed"
    vocab: int
    positions: int
    width: int

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (ids,) = inputs if len(inputs) == 1 else take(self, inputs, 1)
        if ids.shape != ("tokens",):
            raise GraphError(f"{self.name}: input {ids} where embed expects [tokens]")
        return Tensor(name=self.name, shape=("tokens", self.width), fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return step.tokens * self.width if self.positions else 0

    @property
    def rows_read(self) -> int:
        """Rows that one token reads."""
        return 2 if self.positions else 1

    @property
    def weights(self) -> int:
        return (self.vocab + self.positions) * self.width

    def describe(self) -> str:
        return f"{self.vocab}{f' + {self.positions}' if self.positions else ''} rows x {self.width}"

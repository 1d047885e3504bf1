"""Embedding lookup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators.base import Operator, Table, Tensor, require_shape
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Embed(Operator):
    """A token's row of the vocabulary table, plus its position's row where the model learned `positions` of them."""

    kind: ClassVar[str] = "embed"
    vocab: int
    positions: int
    width: int
    weights_id: str | None = None

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        if len(inputs) != 1:
            raise GraphError(f"{self.name}: {self.kind} takes 1 inputs, got {len(inputs)}")
        require_shape(self, inputs[0], "tokens")  # token numbers, whatever their format
        return Tensor(name=self.name, shape=("tokens", self.width), fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return step.tokens * self.width if self.positions else 0

    @property
    def rows_read(self) -> int:
        """Rows that one token reads."""
        return 2 if self.positions else 1

    @property
    def tables(self) -> tuple[Table, ...]:
        tokens = Table(
            identity=self.weights_id or f"{self.name}.weight", rows=self.vocab, columns=self.width, fmt=self.fmt
        )
        if not self.positions:
            return (tokens,)
        positions = Table(identity=f"{self.name}.positions", rows=self.positions, columns=self.width, fmt=self.fmt)
        return tokens, positions

    def describe(self) -> str:
        return f"{self.vocab}{f' + {self.positions}' if self.positions else ''} rows x {self.width}"

"""Embedding lookup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import stored_bytes
from hwsim.mapping.operators.base import Operator, Table, Tensor, require_shape
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Embed(Operator):
    """A token's row of the vocabulary table, plus the rows of its position and segment where the model learned such.

    Inputs: the tokens' numbers, and with `segments` the number of each token's segment.

    Attributes
    ----------
    positions, segments : rows of those tables; 0 where there is none
    """

    kind: ClassVar[str] = "embed"
    vocab: int
    positions: int
    width: int
    segments: int = 0
    weights_id: str | None = None

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        expected = 2 if self.segments else 1
        if len(inputs) != expected:
            raise GraphError(f"{self.name}: {self.kind} takes {expected} inputs, got {len(inputs)}")
        for numbers in inputs:  # whatever their format
            require_shape(self, numbers, "tokens")
        return Tensor(name=self.name, shape=("tokens", self.width), fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return step.tokens * self.width * (self.rows_read - 1)

    @property
    def rows_read(self) -> int:
        """Rows that one token reads."""
        return 1 + (self.positions > 0) + (self.segments > 0)

    @property
    def tables(self) -> tuple[Table, ...]:
        sizes = {"positions": self.positions, "segments": self.segments}
        return (
            self._table(self.weights_id or f"{self.name}.weight", self.vocab),
            *(self._table(f"{self.name}.{name}", rows) for name, rows in sizes.items() if rows),
        )

    def weight_bytes_read(self, step: Step) -> int:
        """A row of each table for every token."""
        return stored_bytes(self.fmt, step.tokens * self.rows_read, self.width)

    def _table(self, identity: str, rows: int) -> Table:
        return Table(identity=identity, rows=rows, columns=self.width, fmt=self.fmt)

    def describe(self) -> str:
        sizes = [self.vocab, *(rows for rows in (self.positions, self.segments) if rows)]
        return f"{' + '.join(map(str, sizes))} rows x {self.width}"

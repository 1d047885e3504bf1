"""Learned positions, added to rows that have none yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import stored_bytes
from hwsim.mapping.operators.base import Dim, Operator, PerSequence, Table, Tensor, length, require_shape, rows, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Positions(Operator):
    """x + the learned row of each row's place in its sequence. (`embed` adds those of tokens as it looks them up.)

    Attributes
    ----------
    positions : rows of the table, at least as many as a sequence has
    weights_id : identity of the table; operators of the same identity share it. Its own unless given
    """

    kind: ClassVar[str] = "positions"
    width: int
    positions: int
    rows: Dim = "tokens"
    weights_id: str | None = None

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, self.rows, self.width)
        if isinstance(self.rows, PerSequence) and self.rows.count > self.positions:
            raise GraphError(f"{self.name}: {self.rows.count} rows have no place in a table of {self.positions}")
        return Tensor(name=self.name, shape=(self.rows, self.width), fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return rows(self.rows, step) * self.width

    @property
    def tables(self) -> tuple[Table, ...]:
        identity = self.weights_id or f"{self.name}.weight"
        return (Table(identity=identity, rows=self.positions, columns=self.width, fmt=self.fmt),)

    def weight_bytes_read(self, step: Step) -> int:
        """The rows of a sequence's places, once for the batch."""
        return stored_bytes(self.fmt, length(self.rows, step), self.width)

    def describe(self) -> str:
        return f"{self.positions} rows x {self.width}"

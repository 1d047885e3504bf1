"""Neighbouring columns of a tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators.base import Dim, Operator, Tensor, take


@dataclass(frozen=True, kw_only=True)
class Slice(Operator):
    """Columns `first` to `first + width` of each row, where they lie: nothing moves."""

    kind: ClassVar[str] = "slice"
    is_view: ClassVar[bool] = True
    first: int
    width: int
    rows: Dim = "tokens"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        last = self.first + self.width
        columns = x.shape[-1]
        if len(x.shape) != 2 or x.shape[0] != self.rows or not isinstance(columns, int) or last > columns:
            raise GraphError(f"{self.name}: input {x} where slice expects [{self.rows}, at least {last}]")
        return Tensor(name=self.name, shape=(self.rows, self.width), fmt=self.fmt)

    def describe(self) -> str:
        return f"columns {self.first}..{self.first + self.width - 1}"

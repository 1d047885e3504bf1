"""Matrix times vector with learned weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Dim, Table, Tensor, require_shape, rows, take
from hwsim.mapping.operators.matrices import Matrices
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Linear(Matrices):
    """y = W x + b with W of (d_out, d_in).

    Attributes
    ----------
    rows : the vectors that pass: all tokens, or those of the results
    weights_id : identity of W; operators of the same identity share it. Its own unless given
    """

    kind: ClassVar[str] = "linear"
    d_in: int
    d_out: int
    bias: bool = True
    rows: Dim = "tokens"
    weights_id: str | None = None

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, self.rows, self.d_in)
        return Tensor(name=self.name, shape=(self.rows, self.d_out), fmt=self.fmt)

    def macs(self, step: Step) -> int:
        return rows(self.rows, step) * self.d_in * self.d_out

    @property
    def has_biases(self) -> bool:
        return self.bias

    @property
    def tables(self) -> tuple[Table, ...]:
        identity = self.weights_id or f"{self.name}.weight"
        matrix = Table(identity=identity, rows=self.d_out, columns=self.d_in, fmt=self.weight_fmt or self.fmt)
        if not self.bias:
            return (matrix,)
        bias = Table(identity=f"{self.name}.bias", rows=1, columns=self.d_out, fmt=self.bias_fmt or self.fmt)
        return matrix, bias

    def describe(self) -> str:
        return f"{self.d_in} -> {self.d_out}{' + bias' if self.bias else ''}{self.describe_formats()}"

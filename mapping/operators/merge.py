"""Neighbouring tokens of an image, put together into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators.base import Dim, Operator, PerSequence, Tensor, require_shape, rows, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Merge(Operator):
    """The elements of each square of tokens one after the other, as one token: Swin's patch merging before its matrix.

    Tokens lie row by row. Those of a square do not lie together, so this copies them.

    Attributes
    ----------
    rows : the size that counts the tokens of an image
    height, width : of the grid of tokens
    side : tokens of a square's side
    elements : of a token before
    """

    kind: ClassVar[str] = "merge"
    rows: Dim
    height: int
    width: int
    side: int = 2
    elements: int

    def __post_init__(self) -> None:
        if self.height % self.side or self.width % self.side:
            squares, grid = f"{self.side} x {self.side}", f"{self.height} x {self.width}"
            raise GraphError(f"{self.name}: squares of {squares} tokens do not tile a grid of {grid}")

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, self.rows, self.elements)
        tokens = self.height * self.width
        if isinstance(self.rows, PerSequence) and self.rows.count != tokens:
            raise GraphError(f"{self.name}: input {x} where a grid of {self.height} x {self.width} has {tokens} tokens")
        square = self.side**2
        merged = PerSequence(count=tokens // square)
        return Tensor(name=self.name, shape=(merged, square * self.elements), fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return rows(self.rows, step) * self.elements

    def describe(self) -> str:
        return f"{self.side} x {self.side} of {self.height} x {self.width} tokens x {self.elements}"

"""Some tokens of each sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hwsim.mapping.operators.base import Dim, Operator, PerSequence, Tensor, require_shape, take


@dataclass(frozen=True, kw_only=True)
class Take(Operator):
    """The first or last token of each sequence of which a result comes out, where it lies: nothing moves.

    Attributes
    ----------
    count : that many first or last tokens of every sequence instead, whether or not a result comes out of it
    stride : how far apart they are: 128 takes the first token of each segment of 128
    """

    kind: ClassVar[str] = "take"
    is_view: ClassVar[bool] = True
    width: int
    which: Literal["first", "last"]
    count: int | None = None
    stride: int = 1

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, "tokens", self.width)
        taken: Dim = "outputs" if self.count is None else PerSequence(count=self.count)
        return Tensor(name=self.name, shape=(taken, self.width), fmt=self.fmt)

    def describe(self) -> str:
        apart = f", {self.stride} apart" if self.stride > 1 else ""
        return f"the {self.which}{f' {self.count}' if self.count else ''} of each sequence{apart}"

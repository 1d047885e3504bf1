"""One token of each sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hwsim.mapping.operators.base import Operator, Tensor, require_shape, take


@dataclass(frozen=True, kw_only=True)
class Take(Operator):
    """The first or last token of each sequence of which a result comes out, where it lies: nothing moves."""

    kind: ClassVar[str] = "take"
    is_view: ClassVar[bool] = True
    width: int
    which: Literal["first", "last"]

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, "tokens", self.width)
        return Tensor(name=self.name, shape=("outputs", self.width), fmt=self.fmt)

    def describe(self) -> str:
        return f"the {self.which} of each sequence"

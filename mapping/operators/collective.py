"""Vectors that pass between devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators.base import Operator, Table, Tensor, require_shape, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Collective(Operator):
    """What a device does together with others.

    `all_reduce` adds up the vectors of `devices` devices and leaves the sum on each; `send` passes the vector on to the
    next stage of a pipeline. With `bias` each device adds its share of a bias to the part of the sum that it makes.
    """

    kind: ClassVar[str] = "collective"
    function: Literal["all_reduce", "send"]
    width: int
    devices: int
    bias: bool = False

    def __post_init__(self) -> None:
        if self.function == "all_reduce" and self.width % self.devices:
            raise GraphError(f"{self.name}: {self.devices} devices do not share a sum of {self.width} evenly")

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, "tokens", self.width)
        return Tensor(name=self.name, shape=x.shape, fmt=self.fmt)

    @property
    def share(self) -> int:
        """Elements of a token's sum that one device makes."""
        return self.width // self.devices if self.function == "all_reduce" else 0

    def element_ops(self, step: Step) -> int:
        return step.tokens * self.share * (self.devices - 1 + self.bias)

    @property
    def tables(self) -> tuple[Table, ...]:
        if not self.bias:
            return ()
        return (Table(identity=f"{self.name}.bias", rows=1, columns=self.share, fmt=self.fmt),)

    def describe(self) -> str:
        return f"{self.function} {self.width}" + (f" of {self.devices} devices" if self.share else "")

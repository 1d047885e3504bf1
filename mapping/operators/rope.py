"""Rotary position embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators.base import Operator, Tensor, require_shape, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Rope(Operator):
    """Queries and keys turned by their position; values pass through.

    Elements i and i + r/2 of a head are the coordinates of a point, which turns by position * theta^(-2i/r), where
    r is the number of elements that are turned.

    Attributes
    ----------
    d_rope : elements of a head that are turned, its first ones; all d_k unless given
    """

    kind: ClassVar[str] = "rope"
    heads: int
    kv_heads: int
    d_k: int
    d_v: int
    theta: float
    d_rope: int | None = None

    def __post_init__(self) -> None:
        if self.turned % 2:
            raise GraphError(f"{self.name}: rope rotates pairs of elements, but a head has {self.turned}")
        if self.turned > self.d_k:
            raise GraphError(f"{self.name}: rope rotates {self.turned} elements of a head, which has {self.d_k}")

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (qkv,) = take(self, inputs, 1)
        require_shape(self, qkv, "tokens", (self.heads + self.kv_heads) * self.d_k + self.kv_heads * self.d_v)
        return Tensor(name=self.name, shape=qkv.shape, fmt=self.fmt)

    @property
    def turned(self) -> int:
        """Elements of one head that are turned."""
        return self.d_k if self.d_rope is None else self.d_rope

    @property
    def rotated(self) -> int:
        """Elements of one token that are turned: in all heads of queries and keys."""
        return (self.heads + self.kv_heads) * self.turned

    def element_ops(self, step: Step) -> int:
        return step.tokens * self.rotated

    def describe(self) -> str:
        part = f", the first {self.d_rope}" if self.d_rope is not None else ""
        return f"{self.heads} + {self.kv_heads} heads x {self.d_k}{part}, theta {self.theta:g}"

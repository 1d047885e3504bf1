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

    Elements i and i + d_k/2 of a head are the coordinates of a point, which turns by position * theta^(-2i/d_k).
    """

    kind: ClassVar[str] = "rope"
    heads: int
    kv_heads: int
    d_k: int
    d_v: int
    theta: float

    def __post_init__(self) -> None:
        if self.d_k % 2:
            raise GraphError(f"{self.name}: rope rotates pairs of elements, but a head has {self.d_k}")

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (qkv,) = take(self, inputs, 1)
        require_shape(self, qkv, "tokens", self.rotated + self.kv_heads * self.d_v)
        return Tensor(name=self.name, shape=qkv.shape, fmt=self.fmt)

    @property
    def rotated(self) -> int:
        """Elements of one token that are turned: all heads of queries and keys."""
        return (self.heads + self.kv_heads) * self.d_k

    def element_ops(self, step: Step) -> int:
        return step.tokens * self.rotated

    def describe(self) -> str:
        return f"{self.heads} + {self.kv_heads} heads x {self.d_k}, theta {self.theta:g}"

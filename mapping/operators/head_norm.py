"""Normalisation of each head of queries and keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hwsim.mapping.operators.base import Operator, Table, Tensor, require_shape, take
from hwsim.mapping.step import Step

HeadNormFunction = Literal["rmsnorm", "layernorm"]


@dataclass(frozen=True, kw_only=True)
class HeadNorm(Operator):
    """Each head of queries and keys normalised by itself; values pass through.

    All heads of queries share their parameters, as do all heads of keys.
    """

    kind: ClassVar[str] = "head_norm"
    heads: int
    kv_heads: int
    d_k: int
    d_v: int
    function: HeadNormFunction = "rmsnorm"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (qkv,) = take(self, inputs, 1)
        require_shape(self, qkv, "tokens", (self.heads + self.kv_heads) * self.d_k + self.kv_heads * self.d_v)
        return Tensor(name=self.name, shape=qkv.shape, fmt=self.fmt)

    def element_ops(self, step: Step) -> int:
        return step.tokens * (self.heads + self.kv_heads) * self.d_k

    def special_functions(self, step: Step) -> int:
        return step.tokens * (self.heads + self.kv_heads)

    @property
    def tables(self) -> tuple[Table, ...]:
        vectors = 2 if self.function == "layernorm" else 1
        return tuple(
            Table(identity=f"{self.name}.{part}", rows=vectors, columns=self.d_k, fmt=self.fmt) for part in ("q", "k")
        )

    def describe(self) -> str:
        return f"{self.function} of {self.heads} + {self.kv_heads} heads x {self.d_k}"

"""The cache of keys and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.operators.base import Operator, Tensor, require_width, take
from hwsim.mapping.workload import Step


@dataclass(frozen=True, kw_only=True)
class KvCache(Operator):
    """Append k and v of this step's tokens; the output is the cache with them."""

    kind: ClassVar[str] = "kv_cache"
    heads: int
    kv_heads: int
    d_k: int
    d_v: int

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (qkv,) = take(self, inputs, 1)
        require_width(self, qkv, self.heads * self.d_k + self.width)
        return Tensor(name=self.name, shape=("context", self.width), fmt=self.fmt)

    @property
    def width(self) -> int:
        """Elements that one token appends."""
        return self.kv_heads * (self.d_k + self.d_v)

    def state_bytes(self, step: Step) -> int:
        return step.batch * step.context * self.width * self.fmt.bits // 8

    def describe(self) -> str:
        return f"append {self.kv_heads} heads x ({self.d_k} + {self.d_v})"

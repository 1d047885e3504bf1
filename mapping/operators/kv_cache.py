"""The cache of keys and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.formats import stored_bytes
from hwsim.mapping.operators.base import Operator, Tensor, require_shape, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class KvCache(Operator):
    """Append k and v of this step's tokens; the output is the cache with them, a row a token.

    Attributes
    ----------
    window : tokens of a sequence that it keeps, the last ones; all unless given
    """

    kind: ClassVar[str] = "kv_cache"
    kv_heads: int
    d_k: int
    d_v: int
    window: int | None = None

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        k, v = take(self, inputs, 2)
        require_shape(self, k, "tokens", self.kv_heads * self.d_k)
        require_shape(self, v, "tokens", self.kv_heads * self.d_v)
        return Tensor(name=self.name, shape=("context", self.width), fmt=self.fmt)

    @property
    def width(self) -> int:
        """Elements that one token appends."""
        return self.kv_heads * (self.d_k + self.d_v)

    def kept(self, context: int) -> int:
        """Tokens of a sequence of `context` that it holds."""
        return context if self.window is None else min(context, self.window)

    def state_bytes(self, step: Step) -> int:
        return self._bytes(step.batch * self.kept(step.context))

    def new_bytes(self, step: Step) -> int:
        """Bytes that one step appends."""
        return self._bytes(step.tokens)

    def _bytes(self, tokens: int) -> int:
        """Bytes of some tokens: keys and values have scales of their own."""
        return sum(stored_bytes(self.fmt, tokens, self.kv_heads * size) for size in (self.d_k, self.d_v))

    def describe(self) -> str:
        window = f", the last {self.window}" if self.window else ""
        return f"append {self.kv_heads} heads x ({self.d_k} + {self.d_v}){window}"

"""Attention over a cache, whole or as the two products around its softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators.base import Operator, Tensor, require_width, take
from hwsim.mapping.patterns import Pattern
from hwsim.mapping.workload import Step


@dataclass(frozen=True, kw_only=True)
class _Heads(Operator):
    """What the attention operators have in common."""

    heads: int
    kv_heads: int
    d_k: int
    d_v: int
    pattern: Pattern

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads:
            raise GraphError(f"{self.name}: {self.heads} heads do not share {self.kv_heads} key/value heads evenly")

    def pairs(self, step: Step) -> int:
        """(query, key) pairs of one head over the batch."""
        return step.batch * self.pattern.pairs(step.queries, step.context)

    def kv_bytes_read(self, step: Step) -> int:
        """Bytes of K and V that the queries of one step need, each key once."""
        keys = step.batch * self.pattern.union_keys(step.queries, step.context)
        return keys * self.kv_heads * (self.d_k + self.d_v) * self.fmt.bits // 8

    def describe(self) -> str:
        shared = f" over {self.kv_heads}" if self.kv_heads != self.heads else ""
        return f"{self.heads} heads{shared} x {self.d_k}, {self.pattern}"

    def _require_cache(self, cache: Tensor) -> None:
        width = self.kv_heads * (self.d_k + self.d_v)
        if cache.shape != ("context", width):
            raise GraphError(f"{self.name}: cache {cache} where {self.kind} expects [context, {width}]")

    @property
    def _qkv_width(self) -> int:
        return self.heads * self.d_k + self.kv_heads * (self.d_k + self.d_v)


@dataclass(frozen=True, kw_only=True)
class Attention(_Heads):
    """softmax(Q K^T / sqrt(d_k)) V over the keys that `pattern` grants; inputs: q (with k, v) and the cache."""

    kind: ClassVar[str] = "attention"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        qkv, cache = take(self, inputs, 2)
        require_width(self, qkv, self._qkv_width)
        self._require_cache(cache)
        return Tensor(name=self.name, shape=("tokens", self.heads * self.d_v), fmt=self.fmt)

    def macs(self, step: Step) -> int:
        return self.heads * self.pairs(step) * (self.d_k + self.d_v)

    def element_ops(self, step: Step) -> int:
        return self.heads * self.pairs(step)

    def special_functions(self, step: Step) -> int:
        return self.heads * (self.pairs(step) + step.tokens)  # an exp a pair, a reciprocal a row


@dataclass(frozen=True, kw_only=True)
class AttentionScores(_Heads):
    """Q K^T, the first product of a split attention."""

    kind: ClassVar[str] = "attention_scores"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        qkv, cache = take(self, inputs, 2)
        require_width(self, qkv, self._qkv_width)
        self._require_cache(cache)
        return Tensor(name=self.name, shape=("tokens", self.heads, "context"), fmt=self.fmt)

    def macs(self, step: Step) -> int:
        return self.heads * self.pairs(step) * self.d_k


@dataclass(frozen=True, kw_only=True)
class AttentionValues(_Heads):
    """Softmax(scores) V, the second product of a split attention."""

    kind: ClassVar[str] = "attention_values"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        scores, cache = take(self, inputs, 2)
        if scores.shape != ("tokens", self.heads, "context"):
            raise GraphError(f"{self.name}: input {scores} where {self.kind} expects [tokens, {self.heads}, context]")
        self._require_cache(cache)
        return Tensor(name=self.name, shape=("tokens", self.heads * self.d_v), fmt=self.fmt)

    def macs(self, step: Step) -> int:
        return self.heads * self.pairs(step) * self.d_v

"""Attention of queries over keys and values, whole or as the two products around its softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import stored_bytes
from hwsim.mapping.operators.base import Dim, Operator, Table, Tensor, length, require_shape, rows, take
from hwsim.mapping.operators.relative_bias import RelativeBias
from hwsim.mapping.patterns import Pattern
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class _Heads(Operator):
    """What the attention operators have in common.

    Attributes
    ----------
    heads, kv_heads : heads of queries, and those of keys and values, which groups of them share
    d_k, d_v : elements of a head's query and key, and of its value
    queries : the size that counts the queries of a sequence
    keys : the size that counts the keys of a sequence: a cache's `context`, the `tokens` themselves, or the `source`
        of cross-attention
    softcap : scores s become softcap * tanh(s / softcap), where given
    scale : factor of the scores; 1 / sqrt(d_k) unless given
    """

    heads: int
    kv_heads: int
    d_k: int
    d_v: int
    pattern: Pattern
    queries: Dim = "tokens"
    keys: Dim = "context"
    softcap: float | None = None
    scale: float | None = None

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads:
            raise GraphError(f"{self.name}: {self.heads} heads do not share {self.kv_heads} key/value heads evenly")

    def pairs(self, step: Step) -> int:
        """(query, key) pairs of one head over the batch."""
        return step.batch * self.pattern.pairs(*self.sizes(step))

    def pairs_of_heads(self, step: Step) -> int:
        """(query, key) pairs of all heads over the batch."""
        return step.batch * self.pattern.pairs_of_heads(*self.sizes(step), self.heads)

    def keys_read(self, step: Step) -> int:
        """Keys that the queries of one step need over the batch, each once, of one head."""
        return step.batch * self.pattern.union_keys(*self.sizes(step))

    def bytes_seen(self, index: int, step: Step) -> int:
        """Bytes of an input, keys or values, that the queries of one step see, each key once."""
        size, fmt = self.d_v if index == self.values_at else self.d_k, self.input_fmt(index)
        if self.pattern.heads_period == 1:
            return stored_bytes(fmt, self.keys_read(step), self.kv_heads * size)
        keys = step.batch * self.pattern.union_keys_of_heads(*self.sizes(step), self.heads, self.kv_heads)
        return stored_bytes(fmt, keys, size)  # a row a head and key: heads see different ones

    @property
    def values_at(self) -> int | None:
        """Which input the values are."""
        return None

    def sizes(self, step: Step) -> tuple[int, int]:
        """Queries and keys of a sequence."""
        n_q, n_k = length(self.queries, step), length(self.keys, step)
        if self.keys == "source":
            self.pattern.of_head(0).check_cross(n_q, n_k)
        return n_q, n_k

    def describe(self) -> str:
        shared = f" over {self.kv_heads}" if self.kv_heads != self.heads else ""
        values = f" and {self.d_v}" if self.d_v != self.d_k else ""
        capped = f", capped at {self.softcap:g}" if self.softcap else ""
        scaled = f", scaled by {self.scale:g}" if self.scale is not None else ""
        return f"{self.heads} heads{shared} x {self.d_k}{values}, {self.pattern}{capped}{scaled}"

    def _require_queries(self, q: Tensor) -> None:
        require_shape(self, q, self.queries, self.heads * self.d_k)

    def _require_keys(self, k: Tensor) -> None:
        require_shape(self, k, self.keys, self.kv_heads * self.d_k)

    def _require_values(self, v: Tensor) -> None:
        require_shape(self, v, self.keys, self.kv_heads * self.d_v)

    @property
    def _score_functions(self) -> int:
        """Special functions a score: an exp, and an exp and a reciprocal for the tanh of a cap."""
        return 3 if self.softcap else 1


@dataclass(frozen=True, kw_only=True)
class _Scores(_Heads):
    """What the operators that compute scores have in common.

    Attributes
    ----------
    relative_bias : what is added to each score by the places of query and key, a table for every head
    """

    relative_bias: RelativeBias | None = None

    @property
    def tables(self) -> tuple[Table, ...]:
        if self.relative_bias is None:
            return ()
        identity, entries = f"{self.name}.relative_bias", self.relative_bias.entries
        return (Table(identity=identity, rows=self.heads, columns=entries, fmt=self.fmt),)

    def describe(self) -> str:
        return super().describe() + (f", {self.relative_bias}" if self.relative_bias else "")

    def _added_biases(self, step: Step) -> int:
        """Additions: one a pair."""
        return self.pairs_of_heads(step) if self.relative_bias else 0


@dataclass(frozen=True, kw_only=True)
class Attention(_Scores):
    """softmax(Q K^T * scale + bias) V over the keys that `pattern` grants; inputs: q, k and v.

    With `shares_scores` the first input is another attention, whose softmax is used again, and the second is v.
    """

    kind: ClassVar[str] = "attention"
    shares_scores: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shares_scores and self.relative_bias:
            raise GraphError(f"{self.name}: shares the scores of another attention, so it has no {self.relative_bias}")

    @property
    def values_at(self) -> int:
        return 1 if self.shares_scores else 2

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        if self.shares_scores:
            other, v = take(self, inputs, 2)
            if other.shape[0] != self.queries:
                raise GraphError(f"{self.name}: input {other} where the attention of the shared scores is expected")
        else:
            q, k, v = take(self, inputs, 3)
            self._require_queries(q)
            self._require_keys(k)
        self._require_values(v)
        return Tensor(name=self.name, shape=(self.queries, self.heads * self.d_v), fmt=self.fmt)

    def macs(self, step: Step) -> int:
        return self.pairs_of_heads(step) * (self.d_v if self.shares_scores else self.d_k + self.d_v)

    def element_ops(self, step: Step) -> int:
        return 0 if self.shares_scores else self.pairs_of_heads(step) + self._added_biases(step)

    def special_functions(self, step: Step) -> int:
        if self.shares_scores:
            return 0
        reciprocals = self.heads * rows(self.queries, step)  # one a query
        return self.pairs_of_heads(step) * self._score_functions + reciprocals


@dataclass(frozen=True, kw_only=True)
class AttentionScores(_Scores):
    """Q K^T and the bias, the first product of a split attention; inputs: q and k."""

    kind: ClassVar[str] = "attention_scores"

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        q, k = take(self, inputs, 2)
        self._require_queries(q)
        self._require_keys(k)
        return Tensor(name=self.name, shape=(self.queries, self.heads, self.keys), fmt=self.fmt)

    def macs(self, step: Step) -> int:
        return self.pairs_of_heads(step) * self.d_k

    def element_ops(self, step: Step) -> int:
        return self._added_biases(step)

    def special_functions(self, step: Step) -> int:
        return self.pairs_of_heads(step) * (self._score_functions - 1)


@dataclass(frozen=True, kw_only=True)
class AttentionValues(_Heads):
    """Softmax(scores) V, the second product of a split attention; inputs: the softmax and v."""

    kind: ClassVar[str] = "attention_values"

    @property
    def values_at(self) -> int:
        return 1

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        scores, v = take(self, inputs, 2)
        require_shape(self, scores, self.queries, self.heads, self.keys)
        self._require_values(v)
        return Tensor(name=self.name, shape=(self.queries, self.heads * self.d_v), fmt=self.fmt)

    def macs(self, step: Step) -> int:
        return self.pairs_of_heads(step) * self.d_v

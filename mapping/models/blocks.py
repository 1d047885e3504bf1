"""Operators of the layers that models other than decoders are built of."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.formats import Format
from hwsim.mapping.operators import Act, Attention, Dim, Eltwise, LayerNorm, Linear, Operator, RelativeBias, Role, Take
from hwsim.mapping.operators.act import ActFunction
from hwsim.mapping.patterns import Pattern


@dataclass(frozen=True, kw_only=True)
class Block:
    """Makes operators of one layer: fills in the names, the layer, the number format and what counts the rows.

    Attributes
    ----------
    layer : None for what comes before and after the layers
    rows : the size that counts the tokens that pass
    part : what names begin with after the layer, where a layer has several blocks
    """

    fmt: Format
    layer: int | None = None
    rows: Dim = "tokens"
    part: str = ""

    def name(self, what: str) -> str:
        return f"{'' if self.layer is None else f'l{self.layer}.'}{self.part}{what}"

    def linear(
        self, role: Role, x: str, d_in: int, d_out: int, *, bias: bool = True, rows: Dim | None = None
    ) -> Linear:
        return Linear(
            name=self.name(role), role=role, layer=self.layer, inputs=(x,), fmt=self.fmt, d_in=d_in, d_out=d_out,
            bias=bias, rows=rows or self.rows,
        )  # fmt: skip

    def norm(self, role: Role, x: str, width: int, *, bias: bool = True) -> LayerNorm:
        return LayerNorm(
            name=self.name(role), role=role, layer=self.layer, inputs=(x,), fmt=self.fmt, width=width, bias=bias,
            rows=self.rows,
        )  # fmt: skip

    def add(self, role: Role, a: str, b: str, width: int) -> Eltwise:
        return Eltwise(
            name=self.name(role), role=role, layer=self.layer, inputs=(a, b), fmt=self.fmt, width=width, rows=self.rows
        )

    def act(self, x: str, width: int, function: ActFunction, *, rows: Dim | None = None) -> Act:
        return Act(
            name=self.name(function), layer=self.layer, inputs=(x,), fmt=self.fmt, width=width, function=function,
            rows=rows or self.rows,
        )  # fmt: skip

    def attention(
        self, q: str, k: str, v: str, width: int, heads: int, pattern: Pattern, *, queries: Dim | None = None,
        relative_bias: RelativeBias | None = None,
    ) -> Attention:  # fmt: skip
        """Attention of all heads over the tokens themselves: of all tokens, or of the `queries` among them."""
        size = width // heads
        name = "global_attention" if queries else "attention"
        return Attention(
            name=self.name(name), layer=self.layer, inputs=(q, k, v), fmt=self.fmt, heads=heads, kv_heads=heads,
            d_k=size, d_v=size, pattern=pattern, queries=queries or self.rows, keys=self.rows,
            relative_bias=relative_bias,
        )  # fmt: skip

    def self_attention(
        self, x: str, width: int, heads: int, pattern: Pattern, *, qkv_bias: bool = True, bias: bool = True,
        relative_bias: RelativeBias | None = None,
    ) -> list[Operator]:  # fmt: skip
        """Queries, keys, values, attention and the projection after it, which read `x`."""
        q, k, v = (self.linear(role, x, width, width, bias=qkv_bias) for role in ("q", "k", "v"))
        attention = self.attention(q.name, k.name, v.name, width, heads, pattern, relative_bias=relative_bias)
        return [q, k, v, attention, self.linear("proj", attention.name, width, width, bias=bias)]

    def mlp(self, x: str, width: int, hidden: int, function: ActFunction, *, bias: bool = True) -> list[Operator]:
        """The hidden layer, which reads `x`."""
        first = self.linear("ffn1", x, width, hidden, bias=bias)
        act = self.act(first.name, hidden, function)
        return [first, act, self.linear("ffn2", act.name, hidden, width, bias=bias)]

    def pooler(self, x: str, width: int) -> list[Operator]:
        """tanh(W first token + b), for each sequence."""
        first = self.first(x, width)
        pooler = self.linear("pooler", first.name, width, width, rows="outputs")
        return [first, pooler, self.act(pooler.name, width, "tanh", rows="outputs")]

    def first(self, x: str, width: int) -> Take:
        """The first token of each sequence."""
        return Take(name=self.name("first"), layer=self.layer, inputs=(x,), fmt=self.fmt, width=width, which="first")

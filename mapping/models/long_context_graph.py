"""The operators of an encoder of long texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.mapping.formats import parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.blocks import Block
from hwsim.mapping.operators import Glu, Operator, PerSequence, Role, Rope, Scatter, Slice, Take
from hwsim.mapping.patterns import Full

if TYPE_CHECKING:  # which makes its graph by this file
    from hwsim.mapping.models.long_context import LongContextModel


def long_context_graph(model: LongContextModel) -> OperatorGraph:
    """Embedding, layers, and the pooler where there is one."""
    outside = Block(fmt=parse_format(model.format))
    inputs, embed = model.embedding(outside)
    norm = outside.norm("embed_norm", embed.name, model.d_model, bias=model.norm_bias)
    operators: list[Operator] = [embed, norm]
    for layer in range(model.layers):
        operators += _Layer(model, Block(fmt=outside.fmt, layer=layer), layer).operators(operators[-1].name)
    if model.norm_order == "pre":
        operators.append(outside.norm("final_norm", operators[-1].name, model.d_model, bias=model.norm_bias))
    if model.pooler:
        operators += outside.pooler(operators[-1].name, model.d_model)
    return OperatorGraph(name=model.name, inputs=inputs, operators=operators)


class _Layer:
    """One layer: attention, the hidden layer, and their norms."""

    def __init__(self, model: LongContextModel, block: Block, layer: int) -> None:
        self.model = model
        self.block = block
        self.layer = layer
        self.width = model.d_model

    def operators(self, x: str) -> list[Operator]:
        """The layer that reads `x`."""
        return self._norms_after(x) if self.model.norm_order == "post" else self._norms_before(x)

    def _norms_after(self, x: str) -> list[Operator]:
        attention = self._attention(x)
        add1 = self.block.add("add1", x, attention[-1].name, self.width)
        norm1 = self._norm("norm1", add1.name)
        mlp = self._mlp(norm1.name)
        add2 = self.block.add("add2", norm1.name, mlp[-1].name, self.width)
        return [*attention, add1, norm1, *mlp, add2, self._norm("norm2", add2.name)]

    def _norms_before(self, x: str) -> list[Operator]:
        norm1 = [self._norm("norm1", x)] if self.model.has_norm1(self.layer) else []
        attention = self._attention(norm1[-1].name if norm1 else x)
        add1 = self.block.add("add1", x, attention[-1].name, self.width)
        norm2 = self._norm("norm2", add1.name)
        mlp = self._mlp(norm2.name)
        return [*norm1, *attention, add1, norm2, *mlp, self.block.add("add2", add1.name, mlp[-1].name, self.width)]

    def _attention(self, x: str) -> list[Operator]:
        """From what attention reads to the projection after it."""
        made = self._rotated(x) if self.model.position == "rope" else self._projected(x)
        if self.model.global_tokens:
            made += self._global(x, made[-1].name)
        return [*made, self._linear("proj", made[-1].name)]

    def _projected(self, x: str) -> list[Operator]:
        """Attention of all tokens by their pattern."""
        q, k, v = (self._linear(role, x) for role in ("q", "k", "v"))
        return [q, k, v, self._attend(q.name, k.name, v.name)]

    def _rotated(self, x: str) -> list[Operator]:
        """The same with queries and keys turned by their position."""
        model, block, d = self.model, self.block, self.width
        qkv = block.linear("qkv", x, d, 3 * d, bias=model.bias)
        rope = Rope(
            name=block.name("rope"), layer=self.layer, inputs=(qkv.name,), fmt=block.fmt, heads=model.heads,
            kv_heads=model.heads, d_k=model.head_size, d_v=model.head_size, theta=model.theta_of(self.layer),
        )  # fmt: skip
        q, k, v = (
            Slice(name=block.name(part), layer=self.layer, inputs=(rope.name,), fmt=block.fmt, first=index * d, width=d)
            for index, part in enumerate("qkv")
        )
        return [qkv, rope, q, k, v, self._attend(q.name, k.name, v.name)]

    def _global(self, x: str, attention: str) -> list[Operator]:
        """Attention of the global tokens over all, by matrices of their own, in the place of what they had."""
        model, block, d = self.model, self.block, self.width
        each = PerSequence(count=model.global_tokens)
        first = Take(
            name=block.name("global_tokens"), layer=self.layer, inputs=(x,), fmt=block.fmt, width=d, which="first",
            count=each.count,
        )  # fmt: skip
        q = block.linear("global_q", first.name, d, d, bias=model.bias, rows=each)
        k, v = (self._linear(role, x) for role in ("global_k", "global_v"))
        attend = block.attention(q.name, k.name, v.name, d, model.heads, Full(), queries=each)
        scatter = Scatter(
            name=block.name("attention_with_global"), layer=self.layer, inputs=(attention, attend.name), fmt=block.fmt,
            width=d, count=each.count,
        )  # fmt: skip
        return [first, q, k, v, attend, scatter]

    def _mlp(self, x: str) -> list[Operator]:
        model, block = self.model, self.block
        if model.mlp == "plain":
            return block.mlp(x, self.width, model.ff_size, model.activation, bias=model.bias)
        gate, up = (block.linear(role, x, self.width, model.ff_size, bias=model.bias) for role in ("gate", "up"))
        glu = Glu(
            name=block.name("glu"), layer=self.layer, inputs=(gate.name, up.name), fmt=block.fmt, width=model.ff_size,
            function=model.activation,
        )  # fmt: skip
        return [gate, up, glu, block.linear("ffn2", glu.name, model.ff_size, self.width, bias=model.bias)]

    def _attend(self, q: str, k: str, v: str) -> Operator:
        return self.block.attention(q, k, v, self.width, self.model.heads, self.model.pattern_of(self.layer))

    def _linear(self, role: Role, x: str) -> Operator:
        return self.block.linear(role, x, self.width, self.width, bias=self.model.bias)

    def _norm(self, role: Role, x: str) -> Operator:
        return self.block.norm(role, x, self.width, bias=self.model.norm_bias)

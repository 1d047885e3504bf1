"""The operators of one block of a decoder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from hwsim.mapping.formats import Format
from hwsim.mapping.operators import (
    Act,
    Attention,
    Collective,
    Eltwise,
    ExpertFfn,
    Glu,
    HeadNorm,
    KvCache,
    LayerNorm,
    Linear,
    Operator,
    RmsNorm,
    Role,
    Rope,
    Route,
    Slice,
)
from hwsim.mapping.parallel import Split

if TYPE_CHECKING:  # which makes its graph by this file
    from hwsim.mapping.models.decoder import DecoderModel


class DecoderBlock:
    """One transformer block: attention, the hidden layer, and how they add to the residual stream."""

    def __init__(self, model: DecoderModel, layer: int, fmt: Format, split: Split) -> None:
        self.model = model
        self.layer = layer
        self.fmt = fmt
        self.split = split

    def operators(self, stream: str) -> list[Operator]:
        """The block that reads the residual stream named `stream`."""
        norm1, add1 = self._name("norm1"), self._name("add1")
        attention = self._attention_branch(norm1)
        first = [self._norm("norm1", stream), *attention, self._add("add1", stream, attention[-1].name)]
        if self.model.block == "parallel_one_norm":
            mlp = self._mlp_branch(norm1)
        else:
            read = add1 if self.model.block == "sequential" else stream
            mlp = [self._norm("norm2", read), *self._mlp_branch(self._name("norm2"))]
        return [*first, *mlp, self._add("add2", add1, mlp[-1].name)]

    def _attention_branch(self, x: str) -> list[Operator]:
        """From the normed stream to what attention adds to it."""
        model = self.model
        qkv = self._linear("qkv", x, model.d_model, model.qkv_width, bias=model.has_qkv_bias)
        attention = self._attention(qkv.name)
        proj = self._summed("proj", attention[-1].name, model.heads * model.head_size, bias=model.has_proj_bias)
        return [qkv, *attention, *self._post_norm("post_norm1", proj)]

    def _mlp_branch(self, x: str) -> list[Operator]:
        """From the normed stream to what the hidden layer, or the experts in its place, add to it."""
        if self.model.has_experts(self.layer):
            return self._post_norm("post_norm2", self._experts(x))
        hidden = self._hidden(x)
        ffn2 = self._summed("ffn2", hidden[-1].name, self.model.ff_size, bias=self.model.has_mlp_bias)
        return [*hidden, *self._post_norm("post_norm2", ffn2)]

    def _attention(self, qkv: str) -> list[Operator]:
        """Norm of heads and rotation by position where the model has them, the cache, attention over it."""
        model, fmt, layer = self.model, self.fmt, self.layer
        size, heads, kv_heads = model.head_size, model.heads, model.key_heads
        shape: dict[str, Any] = {"heads": heads, "kv_heads": kv_heads, "d_k": size, "d_v": size}
        made = self._prepared(qkv, shape)
        if made:
            qkv = made[-1].name
        q, k, v, cache = (self._name(part) for part in ("q", "k", "v", "kv"))
        keys, values = self._name("keys"), self._name("values")
        width, kv_width = heads * size, kv_heads * size
        before = model.window_of(layer)
        return [
            *made,
            self._slice(q, qkv, 0, width),
            self._slice(k, qkv, width, kv_width),
            self._slice(v, qkv, width + kv_width, kv_width),
            KvCache(
                name=cache, layer=layer, inputs=(k, v), fmt=fmt, kv_heads=kv_heads, d_k=size, d_v=size,
                window=None if before is None else before + 1,  # and the query's own key
            ),
            self._slice(keys, cache, 0, kv_width, rows="context"),
            self._slice(values, cache, kv_width, kv_width, rows="context"),
            Attention(
                name=self._name("attention"), layer=layer, inputs=(q, keys, values), fmt=fmt,
                pattern=model.pattern_of(layer), softcap=model.attention_softcap, scale=model.query_scale, **shape,
            ),
        ]  # fmt: skip

    def _prepared(self, qkv: str, shape: dict[str, Any]) -> list[Operator]:
        """What happens to queries and keys before they are used."""
        model, made = self.model, list[Operator]()
        if model.qk_norm != "none":
            name = self._name("qk_norm")
            made.append(
                HeadNorm(name=name, layer=self.layer, inputs=(qkv,), fmt=self.fmt, function=model.qk_norm, **shape)
            )
            qkv = name
        if model.position == "rope":
            made.append(
                Rope(
                    name=self._name("rope"), layer=self.layer, inputs=(qkv,), fmt=self.fmt,
                    theta=model.theta_of(self.layer), d_rope=model.rotary_dim, **shape,
                )
            )  # fmt: skip
        return made

    def _hidden(self, x: str) -> list[Operator]:
        """The hidden layer's first matrices and its activation."""
        model, hidden, function = self.model, self.model.ff_size, self.model.activation
        if model.mlp == "gated":
            return [
                self._linear("gate", x, model.d_model, hidden, bias=model.has_mlp_bias),
                self._linear("up", x, model.d_model, hidden, bias=model.has_mlp_bias),
                Glu(
                    name=self._name("glu"), layer=self.layer, inputs=(self._name("gate"), self._name("up")),
                    fmt=self.fmt, width=hidden, function=function,
                ),
            ]  # fmt: skip
        return [
            self._linear("ffn1", x, model.d_model, hidden, bias=model.has_mlp_bias),
            Act(
                name=self._name(function), layer=self.layer, inputs=(self._name("ffn1"),), fmt=self.fmt, width=hidden,
                function=function,
            ),
        ]  # fmt: skip

    def _experts(self, x: str) -> list[Operator]:
        """The choice of experts and the experts, which read `x`."""
        model, route = self.model, self._name("route")
        choice: dict[str, Any] = {"width": model.d_model, "experts": model.experts, "top_k": model.top_k}
        return [
            Route(
                name=route, role="route", layer=self.layer, inputs=(x,), fmt=self.fmt, renormalise=model.renormalise,
                **choice,
            ),
            ExpertFfn(
                name=self._name("experts"), role="experts", layer=self.layer, inputs=(x, route), fmt=self.fmt,
                hidden=model.expert_size, gated=model.mlp == "gated", function=model.activation,
                bias=model.has_mlp_bias, **choice,
            ),
        ]  # fmt: skip

    def _summed(self, role: Role, x: str, d_in: int, *, bias: bool) -> list[Operator]:
        """A matrix into the residual stream; where devices hold parts of its inputs, their results are added up."""
        linear = self._linear(role, x, d_in, self.model.d_model, bias=bias)
        if self.split.tensor == 1:
            return [linear]
        reduce = Collective(
            name=f"{linear.name}.reduce", layer=self.layer, inputs=(linear.name,), fmt=self.fmt, function="all_reduce",
            width=self.model.d_model, devices=self.split.tensor, bias=bias,
        )  # fmt: skip
        return [replace(linear, bias=False), reduce]

    def _post_norm(self, role: Role, branch: list[Operator]) -> list[Operator]:
        """A branch, and its norm where the model has one."""
        return [*branch, self._norm(role, branch[-1].name)] if self.model.post_norms else branch

    def _linear(self, role: Role, x: str, d_in: int, d_out: int, *, bias: bool) -> Linear:
        return Linear(
            name=self._name(role), role=role, layer=self.layer, inputs=(x,), fmt=self.fmt, d_in=d_in, d_out=d_out,
            bias=bias,
        )  # fmt: skip

    def _norm(self, role: Role, x: str) -> Operator:
        return replace(make_norm(self.model, self._name(role), x, self.fmt), role=role, layer=self.layer)

    def _add(self, role: Role, a: str, b: str) -> Operator:
        return Eltwise(
            name=self._name(role), role=role, layer=self.layer, inputs=(a, b), fmt=self.fmt, width=self.model.d_model
        )

    def _slice(
        self, name: str, x: str, first: int, width: int, rows: Literal["tokens", "context"] = "tokens"
    ) -> Operator:
        return Slice(name=name, layer=self.layer, inputs=(x,), fmt=self.fmt, first=first, width=width, rows=rows)

    def _name(self, part: str) -> str:
        return f"l{self.layer}.{part}"


def make_norm(model: DecoderModel, name: str, x: str, fmt: Format) -> LayerNorm | RmsNorm:
    """A norm over the model's width, of its kind."""
    norm = LayerNorm if model.norm == "layernorm" else RmsNorm
    return norm(name=name, inputs=(x,), fmt=fmt, width=model.d_model)

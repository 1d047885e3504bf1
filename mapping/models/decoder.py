"""Decoder-only transformers: GPT-2's form, Llama's form, and what lies between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.errors import MappingError
from hwsim.mapping.formats import Format, Int, parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import (
    Act,
    Attention,
    Collective,
    Eltwise,
    Embed,
    Glu,
    KvCache,
    LayerNorm,
    Linear,
    Operator,
    RmsNorm,
    Role,
    Rope,
    Slice,
    Take,
    Tensor,
)
from hwsim.mapping.parallel import Split
from hwsim.mapping.patterns import Causal, Full, Pattern, PatternName, Window
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.run import DecoderRun, Run
from hwsim.mapping.workload.workload import Workload

TOKEN_TABLE = "tokens"  # identity of the embedding's table, which a tied vocabulary projection shares


class DecoderModel(Model):
    """A decoder-only transformer; the defaults are those of GPT-2's form."""

    run_type: ClassVar[type[Run]] = DecoderRun

    layers: int = Field(ge=1, le=10_000)
    d_model: int = Field(ge=1, le=1_000_000, description="hidden size")
    heads: int = Field(ge=1, le=100_000, description="heads of queries")
    kv_heads: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="heads of keys and values, which groups of heads share; heads unless given",
    )
    head_dim: int | None = Field(default=None, ge=1, le=1_000_000, description="d_model / heads unless given")
    d_ff: int | None = Field(default=None, ge=1, le=10_000_000, description="4 x d_model unless given")
    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    position: Literal["learned", "rope"] = Field(
        default="learned", description="a row a position added to the embedding, or rotated queries and keys"
    )
    rope_theta: float = Field(
        default=10_000.0, gt=1, le=1e12, strict=False, description="base of the rotations' wavelengths, for `rope`"
    )
    mlp: Literal["plain", "gated"] = Field(
        default="plain", description="activation(x W1) W2, or (activation(x Wg) * (x Wu)) W2"
    )
    activation: Literal["gelu", "silu"] = "gelu"
    bias: bool = Field(default=True, description="whether matrices of the blocks have biases")
    tied_embeddings: bool = Field(default=True, description="whether the vocabulary projection is the embedding table")
    vocab: int = Field(ge=1, le=100_000_000)
    n_ctx: int = Field(ge=1, le=100_000_000, description="longest context of the model, in tokens")
    attention: PatternName = "causal"
    window: int | None = Field(default=None, ge=1, le=100_000_000, description="keys before the query, for `window`")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.head_dim is None and self.d_model % self.heads:
            raise ValueError(
                f"d_model {self.d_model} is not divisible by {self.heads} heads; "
                "choose another number of heads or give head_dim"
            )
        if self.heads % self.key_heads:
            raise ValueError(f"{self.heads} heads do not share {self.kv_heads} kv_heads evenly")
        if self.position == "rope" and self.head_size % 2:
            raise ValueError(f"rope rotates pairs of elements, but a head has {self.head_size}; give an even head_dim")
        if self.position != "rope" and "rope_theta" in self.model_fields_set:
            raise ValueError("rope_theta goes with position: rope, and with no other")
        if self.mlp == "gated" and self.d_ff is None:
            raise ValueError("a gated mlp has no usual hidden size; give d_ff")
        if (self.attention == "window") != (self.window is not None):
            raise ValueError("window goes with attention: window, and with no other")
        if not self.pattern.causal:
            raise ValueError(f"decoding token by token needs a causal attention, got {self.attention}")
        return self

    def check_run(self, run: Run) -> None:
        assert isinstance(run, DecoderRun)
        if run.context > self.n_ctx:
            raise ValueError(
                f"a context of {run.context} tokens is longer than n_ctx {self.n_ctx}; "
                f"set it with --set workload.n_ctx={run.context}"
            )

    @property
    def head_size(self) -> int:
        return self.head_dim or self.d_model // self.heads

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.kv_heads or self.heads

    @property
    def qkv_width(self) -> int:
        """Elements of a token's queries, keys and values."""
        return (self.heads + 2 * self.key_heads) * self.head_size

    @property
    def ff_size(self) -> int:
        return self.d_ff or 4 * self.d_model

    @property
    def pattern(self) -> Pattern:
        match self.attention:
            case "full":
                return Full()
            case "causal":
                return Causal()
            case "window":
                return Window(left=self.window or 0)

    @property
    def block_weights(self) -> int:
        """Weights in the matrices of all blocks, without biases and norms."""
        attention = self.d_model * (self.qkv_width + self.heads * self.head_size)
        matrices = 3 if self.mlp == "gated" else 2
        return self.layers * (attention + matrices * self.d_model * self.ff_size)

    @property
    def parameters(self) -> int:
        hidden = self.ff_size * (2 if self.mlp == "gated" else 1)
        biases = self.qkv_width + self.d_model + hidden + self.d_model if self.bias else 0
        norm = self.d_model * (2 if self.norm == "layernorm" else 1)
        rows = self.vocab * (1 if self.tied_embeddings else 2) + (self.n_ctx if self.position == "learned" else 0)
        return self.block_weights + self.layers * (biases + 2 * norm) + rows * self.d_model + norm

    def graph(self, run: Run, split: Split) -> OperatorGraph:
        assert isinstance(run, DecoderRun)
        return _graph(self, split, whole=run.lm_head == "included")

    def summary(self) -> str:
        return (
            f"{self.layers} layers, d {self.d_model}, {self.heads} heads, context {self.n_ctx}, "
            f"{self.parameters / 1e6:.1f} M parameters"
        )


class GptModel(DecoderModel):
    """A decoder-only transformer of GPT-2's form unless fields say otherwise."""

    family: Literal["gpt"] = "gpt"


class LlamaModel(DecoderModel):
    """A decoder-only transformer of Llama's form unless fields say otherwise."""

    family: Literal["llama"] = "llama"
    norm: Literal["layernorm", "rmsnorm"] = "rmsnorm"
    position: Literal["learned", "rope"] = "rope"
    mlp: Literal["plain", "gated"] = "gated"
    activation: Literal["gelu", "silu"] = "silu"
    bias: bool = False
    tied_embeddings: bool = False


DecoderWorkload = Workload[DecoderModel, DecoderRun]


def decoder_of(workload: Workload[Model, Run], machine: str) -> DecoderWorkload:
    """A workload, known to be one that decodes.

    Raises
    ------
    MappingError : a workload of another kind; names the machine and what it runs
    """
    if isinstance(workload.model, DecoderModel) and isinstance(workload.run, DecoderRun):
        return Workload(model=workload.model, run=workload.run, machine=workload.machine)
    raise MappingError(
        f"{machine}: runs decoders token by token (families gpt, llama); "
        f"{workload.name} is of family {workload.model.family}"
    )


def _graph(model: DecoderModel, split: Split, *, whole: bool) -> OperatorGraph:
    """The blocks, and where they are `whole` the embedding before and final norm and vocabulary projection after.

    Otherwise the graph begins with the embedded token and ends with the last block.
    """
    fmt = parse_format(model.format)
    d = model.d_model
    operators: list[Operator] = []
    if whole:
        ids = Tensor(name="token_ids", shape=("tokens",), fmt=Int(width=32, signed=True))
        positions = model.n_ctx if model.position == "learned" else 0
        operators.append(
            Embed(
                name="embed", role="embed", inputs=("token_ids",), fmt=fmt, vocab=model.vocab, positions=positions,
                width=d, weights_id=TOKEN_TABLE,
            )
        )  # fmt: skip
        inputs = (ids,)
    else:
        inputs = (Tensor(name="embedded", shape=("tokens", d), fmt=fmt),)
    stream = "embed" if whole else "embedded"
    for layer in range(model.layers):
        block = _Block(model, layer, fmt, split).operators(stream)
        operators += block
        stream = block[-1].name
    if whole:
        operators += _head(model, stream, fmt)
    if split.sends:
        operators.append(Collective(name="send", inputs=(stream,), fmt=fmt, function="send", width=d, devices=2))
    return OperatorGraph(name=model.name, inputs=inputs, operators=operators)


def _head(model: DecoderModel, stream: str, fmt: Format) -> list[Operator]:
    """What follows the blocks, for each sequence's last token alone."""
    return [
        Take(name="last", inputs=(stream,), fmt=fmt, width=model.d_model, which="last"),
        replace(_norm(model, "norm", "last", fmt), role="final_norm", rows="outputs"),
        Linear(
            name="lm_head", role="lm_head", rows="outputs", inputs=("norm",), fmt=fmt, d_in=model.d_model,
            d_out=model.vocab, bias=False, weights_id=TOKEN_TABLE if model.tied_embeddings else None,
        ),
    ]  # fmt: skip


class _Block:
    """The operators of one transformer block."""

    def __init__(self, model: DecoderModel, layer: int, fmt: Format, split: Split) -> None:
        self.model = model
        self.layer = layer
        self.fmt = fmt
        self.split = split

    def operators(self, stream: str) -> list[Operator]:
        """The block that reads the residual stream named `stream`."""
        model = self.model
        attention = self._attention(self._name("qkv"))
        proj = self._summed("proj", attention[-1].name, model.heads * model.head_size)
        mlp = self._mlp(self._name("norm2"))
        ffn2 = self._summed("ffn2", mlp[-1].name, model.ff_size)
        return [
            self._norm("norm1", stream),
            self._linear("qkv", self._name("norm1"), model.d_model, model.qkv_width),
            *attention,
            *proj,
            self._add("add1", stream, proj[-1].name),
            self._norm("norm2", self._name("add1")),
            *mlp,
            *ffn2,
            self._add("add2", self._name("add1"), ffn2[-1].name),
        ]

    def _attention(self, qkv: str) -> list[Operator]:
        """Rotation by position where the model has it, the cache, attention over it."""
        model, fmt, layer = self.model, self.fmt, self.layer
        size, heads, kv_heads = model.head_size, model.heads, model.key_heads
        shape: dict[str, Any] = {"heads": heads, "kv_heads": kv_heads, "d_k": size, "d_v": size}
        made: list[Operator] = []
        if model.position == "rope":
            rope = self._name("rope")
            made.append(Rope(name=rope, layer=layer, inputs=(qkv,), fmt=fmt, theta=model.rope_theta, **shape))
            qkv = rope
        q, k, v, cache = (self._name(part) for part in ("q", "k", "v", "kv"))
        keys, values = self._name("keys"), self._name("values")
        width, kv_width = heads * size, kv_heads * size
        return [
            *made,
            self._slice(q, qkv, 0, width),
            self._slice(k, qkv, width, kv_width),
            self._slice(v, qkv, width + kv_width, kv_width),
            KvCache(name=cache, layer=layer, inputs=(k, v), fmt=fmt, kv_heads=kv_heads, d_k=size, d_v=size),
            self._slice(keys, cache, 0, kv_width, rows="context"),
            self._slice(values, cache, kv_width, kv_width, rows="context"),
            Attention(
                name=self._name("attention"), layer=layer, inputs=(q, keys, values), fmt=fmt, pattern=model.pattern,
                **shape,
            ),
        ]  # fmt: skip

    def _slice(
        self, name: str, x: str, first: int, width: int, rows: Literal["tokens", "context"] = "tokens"
    ) -> Operator:
        return Slice(name=name, layer=self.layer, inputs=(x,), fmt=self.fmt, first=first, width=width, rows=rows)

    def _mlp(self, x: str) -> list[Operator]:
        """The hidden layer: its matrices and its activation."""
        model, hidden, function = self.model, self.model.ff_size, self.model.activation
        if model.mlp == "gated":
            return [
                self._linear("gate", x, model.d_model, hidden),
                self._linear("up", x, model.d_model, hidden),
                Glu(
                    name=self._name("glu"), layer=self.layer, inputs=(self._name("gate"), self._name("up")),
                    fmt=self.fmt, width=hidden, function=function,
                ),
            ]  # fmt: skip
        return [
            self._linear("ffn1", x, model.d_model, hidden),
            Act(
                name=self._name(function), layer=self.layer, inputs=(self._name("ffn1"),), fmt=self.fmt, width=hidden,
                function=function,
            ),
        ]  # fmt: skip

    def _summed(self, role: Role, x: str, d_in: int) -> list[Operator]:
        """A matrix into the residual stream; where devices hold parts of its inputs, their results are added up."""
        linear = self._linear(role, x, d_in, self.model.d_model)
        if self.split.tensor == 1:
            return [linear]
        reduce = Collective(
            name=f"{linear.name}.reduce", layer=self.layer, inputs=(linear.name,), fmt=self.fmt, function="all_reduce",
            width=self.model.d_model, devices=self.split.tensor, bias=self.model.bias,
        )  # fmt: skip
        return [replace(linear, bias=False), reduce]

    def _linear(self, role: Role, x: str, d_in: int, d_out: int) -> Linear:
        return Linear(
            name=self._name(role), role=role, layer=self.layer, inputs=(x,), fmt=self.fmt, d_in=d_in, d_out=d_out,
            bias=self.model.bias,
        )  # fmt: skip

    def _norm(self, role: Role, x: str) -> Operator:
        return replace(_norm(self.model, self._name(role), x, self.fmt), role=role, layer=self.layer)

    def _add(self, role: Role, a: str, b: str) -> Operator:
        return Eltwise(
            name=self._name(role), role=role, layer=self.layer, inputs=(a, b), fmt=self.fmt, width=self.model.d_model
        )

    def _name(self, part: str) -> str:
        return f"l{self.layer}.{part}"


def _norm(model: DecoderModel, name: str, x: str, fmt: Format) -> LayerNorm | RmsNorm:
    norm = LayerNorm if model.norm == "layernorm" else RmsNorm
    return norm(name=name, inputs=(x,), fmt=fmt, width=model.d_model)

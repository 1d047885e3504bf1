"""The operator graph of a decoder-only transformer."""

from __future__ import annotations

from dataclasses import replace

from hwsim.mapping.formats import Int, parse_format
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
    Rope,
    Tensor,
)
from hwsim.mapping.parallel import WHOLE, Split
from hwsim.mapping.workload import GptWorkload


def build_graph(workload: GptWorkload, split: Split = WHOLE) -> OperatorGraph:
    """Operators of one step: the blocks, and with `lm_head` the embedding, final norm and vocabulary projection.

    With `lm_head: excluded` the graph begins with the embedded token and ends with the last block.

    Parameters
    ----------
    split : where the workload is one device's share of a model, what the device does together with others
    """
    fmt = parse_format(workload.format)
    d = workload.d_model
    whole = workload.lm_head != "excluded"
    operators: list[Operator] = []
    if whole:
        ids = Tensor(name="token_ids", shape=("tokens",), fmt=Int(width=32, signed=True))
        positions = workload.n_ctx if workload.position == "learned" else 0
        operators.append(
            Embed(name="embed", inputs=("token_ids",), fmt=fmt, vocab=workload.vocab, positions=positions, width=d)
        )
        inputs = (ids,)
    else:
        inputs = (Tensor(name="embedded", shape=("tokens", d), fmt=fmt),)
    stream = "embed" if whole else "embedded"
    for layer in range(workload.layers):
        block = _block(workload, f"l{layer}.", stream, split)
        operators += block
        stream = block[-1].name
    if whole:
        operators.append(_norm(workload, "norm", stream))
        table = "embed" if workload.tied_embeddings else None
        operators.append(
            Linear(
                name="lm_head", inputs=("norm",), fmt=fmt, d_in=d, d_out=workload.vocab, bias=False, weights_of=table
            )
        )
    if split.sends:
        operators.append(Collective(name="send", inputs=(stream,), fmt=fmt, function="send", width=d, devices=2))
    return OperatorGraph(name=workload.name, inputs=inputs, operators=operators)


def _block(workload: GptWorkload, at: str, stream: str, split: Split) -> list[Operator]:
    """One transformer block, reading the residual stream named `stream`."""
    fmt = parse_format(workload.format)
    d, width = workload.d_model, workload.heads * workload.head_size
    attention = _attention(workload, at, f"{at}qkv")
    proj = _summed(workload, f"{at}proj", attention[-1].name, width, split)
    mlp = _mlp(workload, at, f"{at}norm2")
    ffn2 = _summed(workload, f"{at}ffn2", mlp[-1].name, workload.ff_size, split)
    return [
        _norm(workload, f"{at}norm1", stream),
        _linear(workload, f"{at}qkv", f"{at}norm1", d, workload.qkv_width),
        *attention,
        *proj,
        Eltwise(name=f"{at}add1", inputs=(stream, proj[-1].name), fmt=fmt, width=d),
        _norm(workload, f"{at}norm2", f"{at}add1"),
        *mlp,
        *ffn2,
        Eltwise(name=f"{at}add2", inputs=(f"{at}add1", ffn2[-1].name), fmt=fmt, width=d),
    ]


def _attention(workload: GptWorkload, at: str, qkv: str) -> list[Operator]:
    """Rotation by position where the model has it, the cache, attention over it."""
    fmt, size = parse_format(workload.format), workload.head_size
    shape = {"heads": workload.heads, "kv_heads": workload.key_heads, "d_k": size, "d_v": size}
    operators: list[Operator] = []
    if workload.position == "rope":
        operators.append(Rope(name=f"{at}rope", inputs=(qkv,), fmt=fmt, theta=workload.rope_theta, **shape))
        qkv = f"{at}rope"
    return [
        *operators,
        KvCache(name=f"{at}kv", inputs=(qkv,), fmt=fmt, **shape),
        Attention(name=f"{at}attention", inputs=(qkv, f"{at}kv"), fmt=fmt, pattern=workload.pattern, **shape),
    ]


def _mlp(workload: GptWorkload, at: str, x: str) -> list[Operator]:
    """The hidden layer: its matrices and its activation."""
    fmt, d, hidden, function = parse_format(workload.format), workload.d_model, workload.ff_size, workload.activation
    if workload.mlp == "gated":
        return [
            _linear(workload, f"{at}gate", x, d, hidden),
            _linear(workload, f"{at}up", x, d, hidden),
            Glu(name=f"{at}glu", inputs=(f"{at}gate", f"{at}up"), fmt=fmt, width=hidden, function=function),
        ]
    return [
        _linear(workload, f"{at}ffn1", x, d, hidden),
        Act(name=f"{at}{function}", inputs=(f"{at}ffn1",), fmt=fmt, width=hidden, function=function),
    ]


def _summed(workload: GptWorkload, name: str, x: str, d_in: int, split: Split) -> list[Operator]:
    """A matrix into the residual stream; where devices hold parts of its inputs, their results are added up."""
    linear = _linear(workload, name, x, d_in, workload.d_model)
    if split.tensor == 1:
        return [linear]
    reduce = Collective(
        name=f"{name}.reduce", inputs=(name,), fmt=linear.fmt, function="all_reduce", width=workload.d_model,
        devices=split.tensor, bias=workload.bias,
    )  # fmt: skip
    return [replace(linear, bias=False), reduce]


def _linear(workload: GptWorkload, name: str, x: str, d_in: int, d_out: int) -> Linear:
    fmt = parse_format(workload.format)
    return Linear(name=name, inputs=(x,), fmt=fmt, d_in=d_in, d_out=d_out, bias=workload.bias)


def _norm(workload: GptWorkload, name: str, x: str) -> LayerNorm | RmsNorm:
    norm = LayerNorm if workload.norm == "layernorm" else RmsNorm
    return norm(name=name, inputs=(x,), fmt=parse_format(workload.format), width=workload.d_model)

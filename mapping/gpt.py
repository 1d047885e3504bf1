"""The operator graph of a GPT workload."""

from __future__ import annotations

from mapping.formats import Int, parse_format
from mapping.graph import OperatorGraph
from mapping.operators import Act, Attention, Eltwise, Embed, KvCache, LayerNorm, Linear, Operator, Tensor
from mapping.workload import GptWorkload


def build_graph(workload: GptWorkload) -> OperatorGraph:
    """Operators of one step: the blocks, and with `lm_head` the embedding, final norm and vocabulary projection.

    With `lm_head: excluded` the graph begins with the embedded token and ends with the last block.
    """
    fmt = parse_format(workload.format)
    d = workload.d_model
    whole = workload.lm_head != "excluded"
    operators: list[Operator] = []
    if whole:
        ids = Tensor(name="token_ids", shape=("tokens",), fmt=Int(width=32, signed=True))
        operators.append(
            Embed(name="embed", inputs=("token_ids",), fmt=fmt, vocab=workload.vocab, positions=workload.n_ctx, width=d)
        )
        inputs = (ids,)
    else:
        inputs = (Tensor(name="embedded", shape=("tokens", d), fmt=fmt),)
    stream = "embed" if whole else "embedded"
    for layer in range(workload.layers):
        block = _block(workload, f"l{layer}.", stream)
        operators += block
        stream = block[-1].name
    if whole:
        operators.append(LayerNorm(name="norm", inputs=(stream,), fmt=fmt, width=d))
        operators.append(
            Linear(
                name="lm_head", inputs=("norm",), fmt=fmt, d_in=d, d_out=workload.vocab, bias=False, weights_of="embed"
            )
        )
    return OperatorGraph(name=workload.name, inputs=inputs, operators=operators)


def _block(workload: GptWorkload, at: str, stream: str) -> list[Operator]:
    """One transformer block, reading the residual stream named `stream`."""
    fmt = parse_format(workload.format)
    d, hidden, heads, size = workload.d_model, workload.ff_size, workload.heads, workload.head_size
    width = heads * size
    qkv, kv, attention = f"{at}qkv", f"{at}kv", f"{at}attention"
    return [
        LayerNorm(name=f"{at}norm1", inputs=(stream,), fmt=fmt, width=d),
        Linear(name=qkv, inputs=(f"{at}norm1",), fmt=fmt, d_in=d, d_out=3 * width),
        KvCache(name=kv, inputs=(qkv,), fmt=fmt, heads=heads, kv_heads=heads, d_k=size, d_v=size),
        Attention(
            name=attention, inputs=(qkv, kv), fmt=fmt, heads=heads, kv_heads=heads, d_k=size, d_v=size,
            pattern=workload.pattern,
        ),
        Linear(name=f"{at}proj", inputs=(attention,), fmt=fmt, d_in=width, d_out=d),
        Eltwise(name=f"{at}add1", inputs=(stream, f"{at}proj"), fmt=fmt, width=d),
        LayerNorm(name=f"{at}norm2", inputs=(f"{at}add1",), fmt=fmt, width=d),
        Linear(name=f"{at}ffn1", inputs=(f"{at}norm2",), fmt=fmt, d_in=d, d_out=hidden),
        Act(name=f"{at}gelu", inputs=(f"{at}ffn1",), fmt=fmt, width=hidden),
        Linear(name=f"{at}ffn2", inputs=(f"{at}gelu",), fmt=fmt, d_in=hidden, d_out=d),
        Eltwise(name=f"{at}add2", inputs=(f"{at}add1", f"{at}ffn2"), fmt=fmt, width=d),
    ]  # fmt: skip

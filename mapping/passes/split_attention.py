"""Attention as two products and the softmax between them."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.errors import GraphError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import Attention, AttentionScores, AttentionValues, Operator, Softmax


def split_attention(graph: OperatorGraph) -> OperatorGraph:
    """Rewrite each attention into scores, softmax and values, which different units carry out.

    Raises
    ------
    GraphError : shared scores of an operator that is no attention
    """
    operators: list[Operator] = []
    weights_of: dict[str, str] = {}  # attention -> its softmax
    for op in graph.operators:
        if isinstance(op, Attention):
            operators += _split(op, weights_of)
        else:
            operators.append(op)
    return OperatorGraph(name=graph.name, inputs=graph.inputs, operators=operators)


def _split(op: Attention, weights_of: dict[str, str]) -> list[Operator]:
    shape: dict[str, Any] = {
        name: getattr(op, name)
        for name in (
            "fmt",
            "layer",
            "heads",
            "kv_heads",
            "d_k",
            "d_v",
            "pattern",
            "queries",
            "keys",
            "softcap",
            "scale",
        )
    }
    fmts = op.input_fmts
    if op.shares_scores:
        other, v = op.inputs
        if other not in weights_of:
            raise GraphError(f"{op.name}: shares the scores of {other}, which is no attention before it")
        weights_of[op.name] = weights_of[other]
        return [AttentionValues(name=op.name, inputs=(weights_of[other], v), input_fmts=fmts, **shape)]
    q, k, v = op.inputs
    scores, weights = f"{op.name}.scores", f"{op.name}.softmax"
    weights_of[op.name] = weights
    softmax = Softmax(
        name=weights,
        layer=op.layer,
        inputs=(scores,),
        fmt=op.fmt,
        heads=op.heads,
        pattern=op.pattern,
        queries=op.queries,
        keys=op.keys,
    )
    return [
        AttentionScores(
            name=scores, inputs=(q, k), input_fmts=fmts and fmts[:2], relative_bias=op.relative_bias, **shape
        ),
        softmax,
        AttentionValues(name=op.name, inputs=(weights, v), input_fmts=fmts and (op.fmt, fmts[2]), **shape),
    ]

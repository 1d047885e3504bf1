"""The operators that a graph can hold, by kind."""

from mapping.operators.act import Act
from mapping.operators.attention import Attention, AttentionScores, AttentionValues
from mapping.operators.base import Dim, Operator, Tensor
from mapping.operators.eltwise import Eltwise
from mapping.operators.embed import Embed
from mapping.operators.kv_cache import KvCache
from mapping.operators.linear import Linear
from mapping.operators.norm import LayerNorm
from mapping.operators.softmax import Softmax

OPERATORS: dict[str, type[Operator]] = {
    op.kind: op
    for op in (Act, Attention, AttentionScores, AttentionValues, Eltwise, Embed, KvCache, LayerNorm, Linear, Softmax)
}

__all__ = [
    "OPERATORS",
    "Act",
    "Attention",
    "AttentionScores",
    "AttentionValues",
    "Dim",
    "Eltwise",
    "Embed",
    "KvCache",
    "LayerNorm",
    "Linear",
    "Operator",
    "Softmax",
    "Tensor",
]

"""The operators that a graph can hold, by kind."""

from mapping.operators.act import Act
from mapping.operators.attention import Attention, AttentionScores, AttentionValues
from mapping.operators.base import Dim, Operator, Tensor
from mapping.operators.collective import Collective
from mapping.operators.eltwise import Eltwise
from mapping.operators.embed import Embed
from mapping.operators.glu import Glu
from mapping.operators.kv_cache import KvCache
from mapping.operators.linear import Linear
from mapping.operators.norm import LayerNorm, RmsNorm
from mapping.operators.rope import Rope
from mapping.operators.softmax import Softmax

OPERATORS: dict[str, type[Operator]] = {
    op.kind: op
    for op in (
        Act,
        Attention,
        AttentionScores,
        AttentionValues,
        Collective,
        Eltwise,
        Embed,
        Glu,
        KvCache,
        LayerNorm,
        Linear,
        RmsNorm,
        Rope,
        Softmax,
    )
}

__all__ = [
    "OPERATORS",
    "Act",
    "Attention",
    "AttentionScores",
    "AttentionValues",
    "Collective",
    "Dim",
    "Eltwise",
    "Embed",
    "Glu",
    "KvCache",
    "LayerNorm",
    "Linear",
    "Operator",
    "RmsNorm",
    "Rope",
    "Softmax",
    "Tensor",
]

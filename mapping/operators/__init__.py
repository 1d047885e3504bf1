"""The operators that a graph can hold, by kind."""

from hwsim.mapping.operators.act import Act
from hwsim.mapping.operators.attention import Attention, AttentionScores, AttentionValues
from hwsim.mapping.operators.base import Dim, Operator, Role, Table, Tensor
from hwsim.mapping.operators.collective import Collective
from hwsim.mapping.operators.eltwise import Eltwise
from hwsim.mapping.operators.embed import Embed
from hwsim.mapping.operators.glu import Glu
from hwsim.mapping.operators.head_norm import HeadNorm
from hwsim.mapping.operators.kv_cache import KvCache
from hwsim.mapping.operators.linear import Linear
from hwsim.mapping.operators.norm import LayerNorm, RmsNorm
from hwsim.mapping.operators.rope import Rope
from hwsim.mapping.operators.scale import Scale
from hwsim.mapping.operators.slice import Slice
from hwsim.mapping.operators.softcap import Softcap
from hwsim.mapping.operators.softmax import Softmax
from hwsim.mapping.operators.take import Take

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
        HeadNorm,
        KvCache,
        LayerNorm,
        Linear,
        RmsNorm,
        Rope,
        Scale,
        Slice,
        Softcap,
        Softmax,
        Take,
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
    "HeadNorm",
    "KvCache",
    "LayerNorm",
    "Linear",
    "Operator",
    "RmsNorm",
    "Role",
    "Rope",
    "Scale",
    "Slice",
    "Softcap",
    "Softmax",
    "Table",
    "Take",
    "Tensor",
]

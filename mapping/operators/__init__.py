"""The operators that a graph can hold, by kind."""

from hwsim.mapping.operators.act import Act
from hwsim.mapping.operators.attention import Attention, AttentionScores, AttentionValues
from hwsim.mapping.operators.base import Dim, Operator, PerSequence, Role, Table, Tensor
from hwsim.mapping.operators.collective import Collective
from hwsim.mapping.operators.convert import Dequantise, Quantise
from hwsim.mapping.operators.eltwise import Eltwise
from hwsim.mapping.operators.embed import Embed
from hwsim.mapping.operators.expert_ffn import ExpertFfn
from hwsim.mapping.operators.glu import Glu
from hwsim.mapping.operators.head_norm import HeadNorm
from hwsim.mapping.operators.kv_cache import KvCache
from hwsim.mapping.operators.linear import Linear
from hwsim.mapping.operators.matrices import Matrices
from hwsim.mapping.operators.mean import Mean
from hwsim.mapping.operators.merge import Merge
from hwsim.mapping.operators.norm import LayerNorm, RmsNorm
from hwsim.mapping.operators.patch_embed import PatchEmbed
from hwsim.mapping.operators.positions import Positions
from hwsim.mapping.operators.relative_bias import RelativeBias
from hwsim.mapping.operators.rope import Rope
from hwsim.mapping.operators.route import Route
from hwsim.mapping.operators.scale import Scale
from hwsim.mapping.operators.scatter import Scatter
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
        Dequantise,
        Eltwise,
        Embed,
        ExpertFfn,
        Glu,
        HeadNorm,
        KvCache,
        LayerNorm,
        Linear,
        Mean,
        Merge,
        PatchEmbed,
        Positions,
        Quantise,
        RmsNorm,
        Rope,
        Route,
        Scale,
        Scatter,
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
    "Dequantise",
    "Dim",
    "Eltwise",
    "Embed",
    "ExpertFfn",
    "Glu",
    "HeadNorm",
    "KvCache",
    "LayerNorm",
    "Linear",
    "Matrices",
    "Mean",
    "Merge",
    "Operator",
    "PatchEmbed",
    "PerSequence",
    "Positions",
    "Quantise",
    "RelativeBias",
    "RmsNorm",
    "Role",
    "Rope",
    "Route",
    "Scale",
    "Scatter",
    "Slice",
    "Softcap",
    "Softmax",
    "Table",
    "Take",
    "Tensor",
]

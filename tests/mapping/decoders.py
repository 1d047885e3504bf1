"""Small decoders for tests, stated by their fields, and generated ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.models.decoder import DecoderModel, DecoderWorkload
from hwsim.mapping.workload.load import check_workload


def decoder(**fields: Any) -> DecoderWorkload:
    """A model of one layer; any field may be replaced."""
    document: dict[str, Any] = {
        "name": "small",
        "layers": 1,
        "d_model": 64,
        "heads": 2,
        "vocab": 100,
        "n_ctx": 4096,
        "tokens": 4,
        "provenance": {"grade": "A", "source": "a test"},
        **fields,
    }
    return check_workload(document, origin="small")


def model_of(**fields: Any) -> DecoderModel:
    return decoder(**fields).model


def graph_of(**fields: Any) -> OperatorGraph:
    return build_graph(decoder(**fields))


@st.composite
def decoder_fields(draw: st.DrawFn) -> dict[str, Any]:
    """Fields of any small decoder that can be stated."""
    fields: dict[str, Any] = {"family": draw(st.sampled_from(["gpt", "llama"]))}
    for name, values in CHOICES.items():
        if draw(st.booleans()):
            fields[name] = draw(st.sampled_from(values))
    kv_heads, group = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    fields |= {"layers": draw(st.integers(1, 4)), "kv_heads": kv_heads, "heads": kv_heads * group}
    fields |= {"head_dim": 2 * draw(st.integers(1, 6)), "d_ff": draw(st.integers(1, 40))}
    fields |= {"d_model": draw(st.integers(1, 40)), "vocab": draw(st.integers(1, 50))}
    rope = fields.get("position", "rope" if fields["family"] == "llama" else "learned") == "rope"
    if rope and draw(st.booleans()):
        fields["rotary_dim"] = 2 * draw(st.integers(1, fields["head_dim"] // 2))
    if draw(st.booleans()):
        experts = draw(st.integers(1, 5))
        fields |= {"experts": experts, "top_k": draw(st.integers(1, experts))}
        fields |= {"moe_every": draw(st.integers(1, fields["layers"])), "renormalise": draw(st.booleans())}
        fields |= draw(st.sampled_from([{}, {"expert_hidden": 7}]))
    window = st.none() | st.integers(1, 12)
    windows = draw(st.lists(window, min_size=1, max_size=fields["layers"]))
    if any(windows):
        fields |= {"attention": "window", "windows": windows}
    return fields


CHOICES: dict[str, list[Any]] = {
    "norm": ["layernorm", "rmsnorm"],
    "position": ["learned", "rope"],
    "mlp": ["plain", "gated"],
    "activation": ["gelu", "gelu_erf", "silu", "relu", "relu2"],
    "block": ["sequential", "parallel", "parallel_one_norm"],
    "qk_norm": ["none", "rmsnorm", "layernorm"],
    "query_scale": [0.25],
    "attention_softcap": [50],
    "logit_softcap": [30],
    "embedding_scale": [8],
    **{
        name: [True, False]
        for name in ("bias", "qkv_bias", "proj_bias", "mlp_bias", "lm_head_bias", "tied_embeddings", "post_norms")
    },
}

"""Small models of the families other than decoders, and generated ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.workload.load import check_workload
from hwsim.mapping.workload.workload import Workload

SMALL: dict[str, dict[str, Any]] = {
    "bert": {"layers": 1, "d_model": 8, "heads": 2, "vocab": 10, "n_ctx": 16, "tokens": 4},
    "long_context": {
        "layers": 1, "d_model": 8, "heads": 2, "vocab": 10, "n_ctx": 64, "tokens": 16, "patterns": ["window(2, 2)"],
    },
    "modernbert": {"layers": 1, "d_model": 8, "heads": 2, "d_ff": 12, "vocab": 10, "n_ctx": 64, "tokens": 16},
    "hat": {
        "layers": 2, "d_model": 8, "heads": 2, "vocab": 10, "n_ctx": 64, "tokens": 16, "segment_tokens": 4,
        "cross_layers": [1],
    },
    "vit": {"layers": 1, "d_model": 8, "heads": 2, "image_height": 4, "image_width": 8, "patch": 2, "channels": 3},
    "moe_vit": {
        "layers": 2, "d_model": 8, "heads": 2, "image_height": 4, "image_width": 8, "patch": 2, "channels": 3,
        "experts": 4, "top_k": 2, "expert_hidden": 6, "task_names": ["depth", "edges"],
    },
    "swin": {
        "d_model": 8, "depths": [2, 1], "heads": [2, 4], "window": 2, "image_height": 16, "image_width": 32, "patch": 4,
        "channels": 3,
    },
}  # fmt: skip


def workload(family: str, **fields: Any) -> Workload[Any, Any]:
    """A small model; any field may be replaced."""
    provenance = {"grade": "A", "source": "a test"}
    document = {"name": "small", "family": family, "provenance": provenance, **SMALL.get(family, {}), **fields}
    return check_workload(document, origin="small")


def graph_of(family: str, **fields: Any) -> OperatorGraph:
    return build_graph(workload(family, **fields))


def lines_of(graph: OperatorGraph) -> list[str]:
    """One line per operator without its work; views are left out."""
    return [
        f"{op.name} <- {', '.join(graph.origin(name) for name in op.inputs)}: {op.describe()}"
        for op in graph.operators
        if not op.is_view
    ]


ACTIVATIONS = st.sampled_from(["gelu", "gelu_erf", "silu", "relu"])
PATTERNS = st.sampled_from(
    ["full", "window(2, 3)", "block_local(4, 1, forward=1) | global(1)", "strided_heads(2) | window(1, 1)", "causal"]
)


@st.composite
def layers(draw: st.DrawFn) -> dict[str, Any]:
    """Sizes of layers."""
    heads = draw(st.integers(1, 3))
    return {
        "layers": draw(st.integers(1, 4)),
        "heads": heads,
        "d_model": heads * 2 * draw(st.integers(1, 4)),
        "d_ff": draw(st.integers(1, 20)),
        "activation": draw(ACTIVATIONS),
        "bias": draw(st.booleans()),
        "batch": draw(st.integers(1, 3)),
    }


@st.composite
def text_fields(draw: st.DrawFn) -> dict[str, Any]:
    """A model of texts."""
    tokens = draw(st.integers(8, 20))
    return {
        **draw(layers()),
        "vocab": draw(st.integers(1, 20)),
        "n_ctx": tokens + draw(st.integers(0, 5)),
        "tokens": tokens,
        "sequences": draw(st.integers(3, 7)),
        "position_offset": draw(st.integers(0, 2)),
        "segments": draw(st.integers(0, 2)),
        "pooler": draw(st.booleans()),
    }


@st.composite
def long_context_fields(draw: st.DrawFn) -> dict[str, Any]:
    """A model of long texts of any form."""
    fields = {
        **draw(text_fields()),
        "patterns": draw(st.lists(PATTERNS, min_size=1, max_size=3)),
        "norm_order": draw(st.sampled_from(["post", "pre"])),
        "norm_bias": draw(st.booleans()),
        "mlp": draw(st.sampled_from(["plain", "gated"])),
        "position": draw(st.sampled_from(["learned", "rope"])),
    }
    if fields["position"] == "rope":
        del fields["position_offset"]
        fields["rope_thetas"] = draw(st.lists(st.integers(2, 100_000), min_size=1, max_size=3))
    else:
        fields["global_tokens"] = draw(st.integers(0, 3))
    return fields | {"first_norm": fields["norm_order"] == "post" or draw(st.booleans())}


@st.composite
def hat_fields(draw: st.DrawFn) -> dict[str, Any]:
    """A hierarchical encoder."""
    fields = draw(text_fields())
    size, segments = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    crossed = draw(st.sets(st.integers(0, fields["layers"] - 1)))
    return fields | {
        "segment_tokens": size,
        "tokens": size * segments,
        "n_ctx": size * (segments + draw(st.integers(0, 2))),
        "cross_layers": sorted(crossed),
        "segment_position_offset": draw(st.integers(0, 2)),
    }


@st.composite
def swin_fields(draw: st.DrawFn) -> dict[str, Any]:
    """Windows of an image, whose grids they tile down to the last stage."""
    stages, patch, window = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    side = patch * window * 2 ** (stages - 1)
    heads = draw(st.lists(st.sampled_from([1, 2, 4]), min_size=stages, max_size=stages))
    return {
        "d_model": 4 * draw(st.integers(1, 3)),
        "depths": draw(st.lists(st.integers(1, 3), min_size=stages, max_size=stages)),
        "heads": heads,
        "window": window,
        "patch": patch,
        "image_height": side * draw(st.integers(1, 3)),
        "image_width": side * draw(st.integers(1, 3)),
        "channels": draw(st.integers(1, 4)),
        "mlp_ratio": draw(st.integers(1, 4)),
        "activation": draw(ACTIVATIONS),
        "qkv_bias": draw(st.booleans()),
        "classes": draw(st.sampled_from([None, 5])),
        "images": draw(st.integers(3, 7)),
        "batch": draw(st.integers(1, 3)),
    }


@st.composite
def image_fields(draw: st.DrawFn) -> dict[str, Any]:
    """Images and their patches."""
    patch = draw(st.integers(1, 4))
    return {
        **draw(layers()),
        "patch": patch,
        "image_height": patch * draw(st.integers(1, 4)),
        "image_width": patch * draw(st.integers(1, 4)),
        "channels": draw(st.integers(1, 4)),
        "qkv_bias": draw(st.booleans()),
    }


@st.composite
def vit_fields(draw: st.DrawFn) -> dict[str, Any]:
    """A vision transformer."""
    fields = {**draw(image_fields()), "images": draw(st.integers(3, 7))}
    if not draw(st.booleans()):
        return fields | {"class_token": False}
    reader = draw(st.sampled_from([{}, {"pooler": True}, {"classes": 5}]))
    return fields | reader | {"distillation_token": draw(st.booleans())}


@st.composite
def moe_vit_fields(draw: st.DrawFn) -> dict[str, Any]:
    """A vision transformer with experts."""
    fields = draw(image_fields())
    experts = draw(st.integers(1, 6))
    gate = draw(st.sampled_from(["task", "shared"]))
    return fields | {
        "experts": experts,
        "top_k": draw(st.integers(1, experts)),
        "expert_hidden": draw(st.integers(1, 10)),
        "moe_every": draw(st.integers(1, fields["layers"])),
        "task_names": draw(st.sampled_from([["one"], ["one", "two"], ["one", "two", "three"]])),
        "gate": gate,
        "task_embedding": draw(st.integers(0, 4)) if gate == "shared" else 0,
        "final_norm": draw(st.booleans()),
        "class_token": draw(st.booleans()),
        draw(st.sampled_from(["images", "frames"])): draw(st.integers(3, 6)),
    }

"""Decoders with experts: Mixtral and Qwen3's."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.importers.hf.config import MOST_LAYERS, Config
from hwsim.mapping.importers.hf.llama import llama_form, one_window, qwen3
from hwsim.mapping.importers.hf.rope import refuse_rotary, theta


def mixtral(config: Config) -> dict[str, Any]:
    """Mixtral: experts in all layers, as large as the hidden layer would be."""
    refuse_rotary(config)
    return {
        **llama_form(config),
        **_experts(config, number=8, chosen=2),
        "renormalise": True,
        "rope_theta": theta(config, default=1_000_000.0),
        **one_window(config, usual=None),
    }


def qwen3_moe(config: Config) -> dict[str, Any]:
    """Qwen3 with experts, which have a size of their own, in every so many layers."""
    config.refuse("mlp_only_layers", "layers of a list without experts are not imported", harmless=(None, []))
    return {
        **qwen3(config, head_dim=None),
        **_experts(config, number=128, chosen=8),
        "expert_hidden": config.integer("moe_intermediate_size", default=768),
        "moe_every": config.integer("decoder_sparse_step", default=1, most=MOST_LAYERS),
        "renormalise": config.flag("norm_topk_prob", default=False),
    }


def _experts(config: Config, *, number: int, chosen: int) -> dict[str, Any]:
    """How many there are, and how many a token has."""
    experts = config.integer("num_local_experts", "num_experts", default=number)
    top_k = config.integer("num_experts_per_tok", default=chosen)
    if top_k > experts:
        raise config.error("num_experts_per_tok", f"{top_k} of {experts} experts")
    return {"experts": experts, "top_k": top_k}

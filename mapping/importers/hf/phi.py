"""Phi-1 and Phi-2."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.importers.hf.activations import activation
from hwsim.mapping.importers.hf.config import MOST_LAYERS, Config
from hwsim.mapping.importers.hf.heads import head_size, heads
from hwsim.mapping.importers.hf.rope import rotary, theta


def phi(config: Config) -> dict[str, Any]:
    """Phi: attention and mlp side by side after one norm, biases everywhere, a part of each head turned."""
    shape = heads(config)
    return {
        "family": "gpt",
        "layers": config.integer("num_hidden_layers", most=MOST_LAYERS),
        **shape,
        "d_ff": config.integer("intermediate_size"),
        "activation": activation(config, "hidden_act", default="gelu_new"),
        "block": "parallel_one_norm",
        "position": "rope",
        "rope_theta": theta(config),
        **rotary(config, head_size(shape), default=0.5),
        "qk_norm": "layernorm" if config.flag("qk_layernorm", default=False) else "none",
        "lm_head_bias": True,
        "vocab": config.integer("vocab_size"),
        "n_ctx": config.integer("max_position_embeddings"),
        "tied_embeddings": config.flag("tie_word_embeddings", default=False),
    }

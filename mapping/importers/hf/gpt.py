"""GPT-2 and GPT-NeoX."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.importers.hf.activations import activation
from hwsim.mapping.importers.hf.config import MOST_LAYERS, Config
from hwsim.mapping.importers.hf.heads import head_size, heads
from hwsim.mapping.importers.hf.rope import rotary, theta


def gpt2(config: Config) -> dict[str, Any]:
    """GPT-2: learned positions, biases everywhere, tied embeddings."""
    config.refuse("scale_attn_by_inverse_layer_idx", "a scale of the scores that depends on the layer is not imported")
    fields = {
        "family": "gpt",
        "layers": config.integer("n_layer", "num_hidden_layers", most=MOST_LAYERS),
        **heads(config, grouped=False),
        "d_ff": config.maybe_integer("n_inner"),
        "activation": activation(config, "activation_function", default="gelu_new"),
        "vocab": config.integer("vocab_size"),
        "n_ctx": config.integer("n_positions", "max_position_embeddings", "n_ctx"),
        "tied_embeddings": config.flag("tie_word_embeddings", default=True),
    }
    if not config.flag("scale_attn_weights", default=True):
        fields["query_scale"] = 1.0
        config.comments["query_scale"] = "scale_attn_weights is false"
    return fields


def gpt_neox(config: Config) -> dict[str, Any]:
    """GPT-NeoX (and Pythia): attention and mlp side by side, a quarter of each head turned."""
    parallel = config.flag("use_parallel_residual", default=True)
    shape = heads(config, grouped=False)
    return {
        "family": "gpt",
        "layers": config.integer("num_hidden_layers", most=MOST_LAYERS),
        **shape,
        "d_ff": config.integer("intermediate_size"),
        "activation": activation(config, "hidden_act", default="gelu"),
        "block": "parallel" if parallel else "sequential",
        "position": "rope",
        "rope_theta": theta(config, "rotary_emb_base", "rope_theta"),
        **rotary(config, head_size(shape), "rotary_pct", default=0.25),
        "qkv_bias": config.flag("attention_bias", default=True),
        "proj_bias": config.flag("attention_bias", default=True),
        "vocab": config.integer("vocab_size"),
        "n_ctx": config.integer("max_position_embeddings"),
        "tied_embeddings": config.flag("tie_word_embeddings", default=False),
    }

"""Gemma 2 and the text part of Gemma 3."""

from __future__ import annotations

from math import sqrt
from typing import Any

from hwsim.mapping.importers.hf.activations import activation
from hwsim.mapping.importers.hf.config import MOST_LAYERS, Config
from hwsim.mapping.importers.hf.heads import head_size, heads
from hwsim.mapping.importers.hf.rope import refuse_rotary, theta, thetas_by_layer_type
from hwsim.mapping.importers.hf.windows import FULL, SLIDING, layer_types, sliding_window, windows


def gemma2(config: Config) -> dict[str, Any]:
    """Gemma 2: a window in every other layer, soft caps, norms before and after."""
    return {
        **_gemma_form(config, windowed_of=2),
        "rope_theta": theta(config),
        "attention_softcap": _cap(config, "attn_logit_softcapping", usual=50.0),
        "logit_softcap": _cap(config, "final_logit_softcapping", usual=30.0),
    }


def gemma3_text(config: Config) -> dict[str, Any]:
    """Gemma 3: norms on queries and keys; layers with a window turn by a base of their own."""
    cycle = config.maybe_integer("sliding_window_pattern", "_sliding_window_pattern") or 6
    shape = _gemma_form(config, windowed_of=cycle)
    full, sliding = thetas_by_layer_type(
        config, full=("rope_theta", 1_000_000.0), sliding=("rope_local_base_freq", 10_000.0)
    )
    windowed = shape.get("attention") == "window"
    return {
        **shape,
        "qk_norm": "rmsnorm",
        "rope_theta": full,
        "window_rope_theta": sliding if windowed and sliding != full else None,
        "attention_softcap": _cap(config, "attn_logit_softcapping", usual=None),
        "logit_softcap": _cap(config, "final_logit_softcapping", usual=None),
    }


def gemma3(config: Config) -> dict[str, Any]:
    """The file of a Gemma 3 that also sees: its text part."""
    text = config.group("text_config")
    if text is None:
        raise config.error("text_config", "this field is missing, and with it the model's text part")
    tied = config.flag("tie_word_embeddings", default=True)
    if text.flag("tie_word_embeddings", default=tied) != tied:
        raise config.error("tie_word_embeddings", f"{str(tied).lower()} contradicts text_config.tie_word_embeddings")
    fields = gemma3_text(text)
    config.defaults |= text.defaults
    config.comments |= text.comments
    config.ignore("vision_config", "mm_tokens_per_image")
    config.comments["family"] = "the text part alone"
    return fields


def _gemma_form(config: Config, *, windowed_of: int) -> dict[str, Any]:
    """What both have in common; of `windowed_of` layers all but the last have a window, unless the file says more."""
    refuse_rotary(config)
    config.refuse("use_bidirectional_attention", "attention to later tokens is not imported")
    shape = heads(config, head_dim=256)
    layers = config.integer("num_hidden_layers", most=MOST_LAYERS)
    usual = [SLIDING if (layer + 1) % windowed_of else FULL for layer in range(layers)]
    config.ignore("hidden_act")
    config.comments["embedding_scale"] = "the square root of hidden_size"
    return {
        "family": "llama",
        "layers": layers,
        **shape,
        "d_ff": config.integer("intermediate_size"),
        "activation": activation(config, "hidden_activation", default="gelu_pytorch_tanh"),
        "bias": config.flag("attention_bias", default=False),
        "mlp_bias": False,
        "post_norms": True,
        "vocab": config.integer("vocab_size"),
        "n_ctx": config.integer("max_position_embeddings"),
        "tied_embeddings": config.flag("tie_word_embeddings", default=True),
        "embedding_scale": sqrt(shape["d_model"]),
        "query_scale": _query_scale(config, head_size(shape)),
        **windows(config, layer_types(config, layers, usual), sliding_window(config, 4096)),
    }


def _query_scale(config: Config, size: int) -> float | None:
    """The factor of the scores, where it is not the usual one."""
    scalar = config.number("query_pre_attn_scalar", default=256)
    if scalar == size:
        return None
    config.comments["query_scale"] = f"1 / sqrt(query_pre_attn_scalar {scalar:g})"
    return 1 / sqrt(scalar)


def _cap(config: Config, name: str, *, usual: float | None) -> float | None:
    """A soft cap; null in a file means none, and a missing field what the class has."""
    if name in config.fields or usual is None:
        return config.maybe_number(name)
    return config.number(name, default=usual)

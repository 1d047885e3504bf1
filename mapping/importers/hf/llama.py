"""Llama and those that are like it but for a window, a bias or a norm: Mistral, Qwen2, Qwen3, Phi-3."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.importers.hf.activations import activation
from hwsim.mapping.importers.hf.config import MOST_LAYERS, Config
from hwsim.mapping.importers.hf.heads import head_size, heads
from hwsim.mapping.importers.hf.rope import refuse_rotary, rotary, theta
from hwsim.mapping.importers.hf.windows import FULL, SLIDING, layer_types, sliding_window, windows


def llama(config: Config) -> dict[str, Any]:
    """Llama: biases of attention and of the hidden layer are fields."""
    refuse_rotary(config)
    return {
        **llama_form(config),
        "rope_theta": theta(config),
        "bias": config.flag("attention_bias", default=False),
        "mlp_bias": config.flag("mlp_bias", default=False),
    }


def mistral(config: Config) -> dict[str, Any]:
    """Mistral: Llama with a window in all layers, or none."""
    refuse_rotary(config)
    return {**llama_form(config), "rope_theta": theta(config), **one_window(config, usual=4096)}


def qwen2(config: Config) -> dict[str, Any]:
    """Qwen2: biases on queries, keys and values alone."""
    refuse_rotary(config)
    return {**llama_form(config), "rope_theta": theta(config), "qkv_bias": True, **switched_windows(config)}


def qwen3(config: Config, *, head_dim: int | None = 128) -> dict[str, Any]:
    """Qwen3: norms on queries and keys; heads of 128 whatever the width, unless the class has others."""
    refuse_rotary(config)
    biased = config.flag("attention_bias", default=False)
    return {
        **llama_form(config, head_dim=head_dim),
        "rope_theta": theta(config),
        "qkv_bias": biased,
        "proj_bias": biased,
        "qk_norm": "rmsnorm",
        **switched_windows(config),
    }


def phi3(config: Config) -> dict[str, Any]:
    """Phi-3 and Phi-4: Llama, of whose heads a part may turn; its fused matrices are those of the graph."""
    config.ignore("attention_bias")
    shape = llama_form(config)
    turned = rotary(config, head_size(shape), default=1.0)
    return {**shape, "rope_theta": theta(config), **turned, **one_window(config, usual=None)}


def llama_form(config: Config, *, head_dim: int | None = None) -> dict[str, Any]:
    """What they have in common; `head_dim` is the class's own size of a head, where it has one."""
    return {
        "family": "llama",
        "layers": config.integer("num_hidden_layers", most=MOST_LAYERS),
        **heads(config, head_dim=head_dim),
        "d_ff": config.integer("intermediate_size"),
        "activation": activation(config, "hidden_act", default="silu"),
        "vocab": config.integer("vocab_size"),
        "n_ctx": config.integer("max_position_embeddings"),
        "tied_embeddings": config.flag("tie_word_embeddings", default=False),
    }


def one_window(config: Config, *, usual: int | None) -> dict[str, Any]:
    """The same window in all layers where there is one; null in a file means none, a missing field the `usual` one."""
    layers = config.integer("num_hidden_layers", most=MOST_LAYERS)
    window = sliding_window(config, usual)
    return windows(config, layer_types(config, layers, [FULL if window is None else SLIDING] * layers), window)


def switched_windows(config: Config) -> dict[str, Any]:
    """Windows from `max_window_layers` on, where `use_sliding_window` switches them on.

    Published files name a window that is off; transformers goes by the switch, and so does this.
    """
    layers = config.integer("num_hidden_layers", most=MOST_LAYERS)
    named = sliding_window(config, 4096)
    window = named if config.flag("use_sliding_window", default=False) else None
    first = config.maybe_integer("max_window_layers", least=0)
    if window is None:
        return windows(config, layer_types(config, layers, [FULL] * layers), None)
    start = min(config.integer("max_window_layers", default=28) if first is None else first, layers)
    return windows(config, layer_types(config, layers, [FULL] * start + [SLIDING] * (layers - start)), window)

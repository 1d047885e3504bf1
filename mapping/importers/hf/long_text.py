"""Encoders of long texts: Longformer, BigBird, ModernBERT."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.importers.hf.activations import activation
from hwsim.mapping.importers.hf.bert import bert_form, positions_after_padding
from hwsim.mapping.importers.hf.config import MOST_LAYERS, Config
from hwsim.mapping.importers.hf.heads import heads
from hwsim.mapping.importers.hf.rope import thetas_by_layer_type
from hwsim.mapping.importers.hf.windows import FULL, SLIDING, layer_types, shortest_cycle


def longformer(config: Config) -> dict[str, Any]:
    """Longformer: a window, and global tokens with matrices of their own."""
    config.refuse("attention_mode", "other modes are not imported", harmless=(None, "longformer"))
    shape = bert_form(config)
    sizes = config.integers("attention_window", count=shape["layers"], default=512)
    odd = [size for size in sizes if size % 2]
    if odd:
        raise config.error("attention_window", f"expected even numbers, half of it to each side, found {odd[0]}")
    config.comments["global_tokens"] = "as many as a task has; of them the class token always"
    return {
        "family": "long_context",
        **shape,
        **positions_after_padding(config),
        "patterns": shortest_cycle([f"window({size // 2}, {size // 2})" for size in sizes]),
        "global_tokens": 1,
    }


def big_bird(config: Config) -> dict[str, Any]:
    """BigBird: blocks nearby, first and last blocks, random blocks."""
    config.refuse("rescale_embeddings", "a scale of the embedding is not imported")
    config.refuse("use_bias", "queries, keys and values without biases are not imported", harmless=(None, True))
    shape = bert_form(config, act="gelu_new")
    kind = config.text("attention_type", default="block_sparse")
    if kind not in ("block_sparse", "original_full"):
        raise config.error("attention_type", f"expected block_sparse or original_full, found {kind!r}")
    size, random = config.integer("block_size", default=64), config.integer("num_random_blocks", default=3)
    pattern = (
        f"block_local({size}, 1, forward=1) | random_blocks({random}, {size}, seed=0) | global({size}, last={size})"
    )
    if kind == "block_sparse":
        config.comments["patterns"] = "as in the paper; transformers draws in training alone"
    return {
        "family": "long_context",
        **shape,
        "n_ctx": config.integer("max_position_embeddings"),
        "patterns": [pattern if kind == "block_sparse" else "full"],
    }


def modernbert(config: Config) -> dict[str, Any]:
    """ModernBERT: every third layer sees everything, the others what is near."""
    config.ignore("position_embedding_type", "tie_word_embeddings")
    layers = config.integer("num_hidden_layers", most=MOST_LAYERS)
    every = config.maybe_integer("global_attn_every_n_layers") or 3
    types = layer_types(config, layers, [SLIDING if layer % every else FULL for layer in range(layers)])
    side = config.integer("local_attention", default=128) // 2
    full, near = thetas_by_layer_type(
        config, full=("global_rope_theta", 160_000.0), sliding=("local_rope_theta", 10_000.0)
    )
    biased = config.flag("attention_bias", default=False)
    if config.flag("mlp_bias", default=False) != biased:
        raise config.error(
            "mlp_bias", f"{str(not biased).lower()}, and attention_bias is not; one of them alone is not imported"
        )
    config.comments["patterns"] = f"half of local_attention {2 * side} to each side"
    return {
        "family": "modernbert",
        "layers": layers,
        **heads(config, grouped=False),
        "d_ff": config.integer("intermediate_size"),
        "activation": activation(config, "hidden_activation", default="gelu"),
        "bias": biased,
        "norm_bias": config.flag("norm_bias", default=False),
        "vocab": config.integer("vocab_size"),
        "n_ctx": config.integer("max_position_embeddings"),
        "patterns": shortest_cycle(["full" if kind == FULL else f"window({side}, {side})" for kind in types]),
        "rope_thetas": shortest_cycle([full if kind == FULL else near for kind in types]),
    }

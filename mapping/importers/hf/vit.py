"""ViT and DeiT."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.importers.hf.activations import activation
from hwsim.mapping.importers.hf.config import MOST_LAYERS, Config
from hwsim.mapping.importers.hf.heads import heads


def vit(config: Config) -> dict[str, Any]:
    """ViT: the base class, which ends with the pooler."""
    shape = heads(config, grouped=False)
    height, width = config.sides("image_size", default=224)
    patch, other = config.sides("patch_size", default=16)
    if patch != other:
        raise config.error("patch_size", f"{patch} x {other}: other than square patches are not imported")
    for name, harmless in (("pooler_output_size", shape["d_model"]), ("pooler_act", "tanh")):
        config.refuse(name, "a pooler of another form is not imported", harmless=(None, harmless))
    return {
        "family": "vit",
        "layers": config.integer("num_hidden_layers", most=MOST_LAYERS),
        **shape,
        "d_ff": config.integer("intermediate_size"),
        "activation": activation(config, "hidden_act", default="gelu"),
        "qkv_bias": config.flag("qkv_bias", default=True),
        "image_height": height,
        "image_width": width,
        "channels": config.integer("num_channels", default=3),
        "patch": patch,
        "pooler": True,
    }


def deit(config: Config) -> dict[str, Any]:
    """DeiT: ViT with a second learned token."""
    return {**vit(config), "distillation_token": True}

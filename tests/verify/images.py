"""Small encoders of images for tests, and weights for them in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.codes import quantise
from hwsim.verify.image_encoder.encoder import GoldenEncoder
from hwsim.verify.image_tensors import ImageModel, tensor_shapes
from hwsim.verify.image_weights import ImageWeights, random_image_weights
from tests.mapping.families import workload

# 17 tokens, 2 heads of 16; the second layer has experts.
SMALL = {
    "layers": 2, "d_model": 32, "heads": 2, "d_ff": 64, "image_height": 16, "image_width": 16, "patch": 4,
    "experts": 4, "top_k": 2, "expert_hidden": 32, "task_names": ["depth", "edges"], "final_norm": False,
}  # fmt: skip
DENSE = ("layers", "d_model", "heads", "d_ff", "image_height", "image_width", "patch")


def small(**fields: Any) -> ImageModel:
    """A small model with experts."""
    model: ImageModel = workload("moe_vit", **{**SMALL, **fields}).model
    return model


def dense(**fields: Any) -> ImageModel:
    """A small model without experts, which has a norm after its layers."""
    model: ImageModel = workload("vit", **{**{name: SMALL[name] for name in DENSE}, **fields}).model
    return model


def weights_of(model: ImageModel, *, seed: int = 0, final_norm: bool = False) -> ImageWeights:
    """Random tensors for all tasks."""
    tasks = range(len(getattr(model, "task_names", ())))
    return random_image_weights(tensor_shapes(model, tasks, final_norm=final_norm), seed)


def golden(model: ImageModel, weights: ImageWeights, *, preset: str = "rtl", final_norm: bool = False) -> GoldenEncoder:
    """The golden encoder by the blocks of a preset."""
    blocks = EncoderBlocks.sized(model, preset=preset)
    return GoldenEncoder(model, blocks, quantise(weights, blocks), final_norm=final_norm)


def save(folder: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    """Tensors as Edge-MoE's source keeps them: one file each, nothing but values."""
    folder.mkdir(exist_ok=True)
    for name, tensor in tensors.items():
        (folder / f"{name}.float32.bin").write_bytes(tensor.astype("<f4").tobytes())
    return folder

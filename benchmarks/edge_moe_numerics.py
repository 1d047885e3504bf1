"""What the formats of Edge-MoE's memory cost an encoder of images, tensor by tensor: by floor, and rounded to nearest.

Each line is a float64 model in which some tensors have the values that memory holds, against one with all tensors as
given: the norm of the distance of their last streams over the norm of the latter. Nothing else is rounded, and both
follow the latter's choice of experts; how many tokens of all layers would go elsewhere stands beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hwsim.mapping.formats import round_to
from hwsim.pipeline import load_workload
from hwsim.verify.float64_image import EncodedImage, Float64Encoder
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.codes import stored_format
from hwsim.verify.image_weights import ImageWeights, load_image_weights

GROUPS: dict[str, Callable[[str], bool]] = {
    "image": lambda name: name == "image",
    "patches' matrix": lambda name: name == "patch_embed_weight",
    "positions": lambda name: name == "pos_embed",
    "norms": lambda name: "norm" in name,
    "attention's biases": lambda name: name.endswith(("qkv_bias", "proj_bias")),
    "other biases": lambda name: name.endswith(("embed_bias", "fc1_bias", "fc2_bias", "htoh4_bias", "h4toh_bias")),
    "matrices and gates": lambda name: (
        name.endswith(("_weight", "task0")) and "norm" not in name and "patch" not in name
    ),
    "all": lambda name: True,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", default="m3vit_tiny")
    parser.add_argument("--weights", default="random:0", help="random:SEED or a folder")
    given = parser.parse_args()
    model = load_workload(given.workload).model
    weights = load_image_weights(given.weights, model, [0], final_norm=False)
    blocks = EncoderBlocks.sized(model, preset="published")
    exact = Float64Encoder(model, weights, final_norm=False).run()

    print(f"{given.workload}, {given.weights}: error of the last stream by memory's formats; tokens that go elsewhere")
    print(f"{'tensors':20}{'floor':>10}{'tokens':>8}{'nearest':>10}{'tokens':>8}")
    for group, has in GROUPS.items():
        line = f"{group:20}"
        for rounding in ("floor", "nearest_even"):
            stored = Float64Encoder(model, held(weights, blocks, has, rounding), final_norm=False).run(0, exact.choices)
            line += f"{distance(stored, exact):>10.2e}{elsewhere(stored, exact):>8}"
        print(line)


def held(weights: ImageWeights, blocks: EncoderBlocks, has: Callable[[str], bool], rounding: str) -> ImageWeights:
    """The weights, those of a group with the values that memory holds."""

    def value(name: str, tensor: np.ndarray) -> np.ndarray:
        fmt = replace(stored_format(name, blocks), rounding=rounding)
        return round_to(tensor, fmt).astype(np.float32) if has(name) else tensor

    return weights.changed(value)


def distance(stored: EncodedImage, exact: EncodedImage) -> float:
    ours, theirs = stored.streams[-1], exact.streams[-1]
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


def elsewhere(stored: EncodedImage, exact: EncodedImage) -> int:
    """Tokens, of all layers, with other experts."""
    pairs = ((np.sort(stored.choices[layer]), np.sort(chosen)) for layer, chosen in exact.choices.items())
    return sum(int((ours != theirs).any(axis=1).sum()) for ours, theirs in pairs)


if __name__ == "__main__":
    main()

"""The image and the tensors of an encoder of images: from a folder, or random ones of the size of trained ones."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import prod, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.image_tensors import ImageModel, Shape, tensor_shapes
from hwsim.verify.weights import RANDOM, is_random, seed_of

Tensor = NDArray[np.float32]

# Deviations of random tensors that are no matrices; and a factor on matrices that write into the residual stream.
BIAS, NORM, POSITION = 0.05, 0.1, 1.0
RESIDUAL = ("attn_proj_weight", "fc2_weight", "h4toh_weight")
RESIDUAL_FACTOR = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageWeights:
    """An image and a model's tensors by the names of `image_tensors`.

    Attributes
    ----------
    origin : where they come from, for reports
    seed : seed of random tensors
    """

    tensors: Mapping[str, Tensor]
    origin: str
    seed: int | None = None

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def changed(self, change: Callable[[str, Tensor], Tensor]) -> ImageWeights:
        """The same with each tensor replaced by what `change` makes of it and its name."""
        return replace(self, tensors={name: change(name, tensor) for name, tensor in self.tensors.items()})


def load_image_weights(text: str, model: ImageModel, tasks: Iterable[int], *, final_norm: bool) -> ImageWeights:
    """Weights as the user names them: `random:SEED`, or a folder. Only what is needed is read.

    Parameters
    ----------
    model, tasks, final_norm : as in `tensor_shapes`

    Raises
    ------
    WeightsError : an invalid seed, or any problem with the folder
    """
    shapes = tensor_shapes(model, tasks, final_norm=final_norm)
    if is_random(text):
        return random_image_weights(shapes, seed_of(text))
    from hwsim.verify.weights_folder import read_folder

    return ImageWeights(tensors=read_folder(Path(text), shapes, ()), origin=text)


def random_image_weights(shapes: Mapping[str, Shape], seed: int) -> ImageWeights:
    """Tensors with which sums have about the size that they have in trained models.

    A matrix is N(0, 1/sqrt(inputs)), so that its results are as large as its inputs; half of that where it writes into
    the residual stream, which otherwise forgets its tokens, so that all of them choose the same experts. Scales of
    norms are 1 + N(0, 0.1), biases N(0, 0.05), positions N(0, 1), pixels uniform. A tensor depends on the seed, its
    own name and its shape: fewer layers have the same tensors.
    """
    tensors = {name: _draw(name, shape, seed) for name, shape in shapes.items()}
    return ImageWeights(tensors=tensors, origin=f"{RANDOM}{seed}", seed=seed)


def _draw(name: str, shape: Shape, seed: int) -> Tensor:
    generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if name == "image":
        return generator.random(shape, dtype=np.float32)
    values = generator.standard_normal(shape, dtype=np.float32)
    if name.endswith(("norm1_weight", "norm2_weight")) or name == "norm_weight":
        return values * np.float32(NORM) + np.float32(1)
    if name.endswith("bias"):
        return values * np.float32(BIAS)
    if name in ("pos_embed", "task_embed"):
        return values * np.float32(POSITION)
    inputs = prod(shape[1:]) if name == "patch_embed_weight" else shape[-1]
    factor = RESIDUAL_FACTOR if name.endswith(RESIDUAL) else 1.0
    return values * np.float32(factor / sqrt(inputs))

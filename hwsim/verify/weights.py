"""The tensors of a model by the names of its public checkpoints, and random ones."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np

from hwsim.errors import WeightsError
from hwsim.mapping.formats import Format, round_to
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.verify.checkpoint import Shape, Tensor, checkpoint_of

RANDOM = "random:"

SPREAD = 0.02  # initializer_range of GPT-2 and Llama


@dataclass(frozen=True, kw_only=True, eq=False)
class GptWeights:
    """Tensors of a model, shaped as in its checkpoints.

    Attributes
    ----------
    tensors : name to values
    origin : where they come from, for reports
    seed : seed of random tensors
    """

    tensors: Mapping[str, Tensor]
    origin: str
    seed: int | None = None

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def rounded(self, fmt: Format) -> GptWeights:
        """The same tensors as a format holds them."""
        held = {name: round_to(tensor, fmt).astype(np.float32) for name, tensor in self.tensors.items()}
        return GptWeights(tensors=held, origin=self.origin, seed=self.seed)


def is_random(text: str) -> bool:
    """Whether a text asks for random weights rather than a folder."""
    return text == "random" or text.startswith(RANDOM)


def load_weights(text: str, workload: DecoderWorkload) -> GptWeights:
    """Weights as the user names them: `random:SEED`, or a folder.

    Raises
    ------
    WeightsError : an invalid seed, or any problem with the folder
    """
    if not is_random(text):
        from hwsim.verify.weights_folder import read_folder

        return GptWeights(
            tensors=read_folder(Path(text), shapes(workload), checkpoint_of(workload).prefixes), origin=text
        )
    return random_weights(workload, seed_of(text))


def seed_of(text: str) -> int:
    """The seed in `random:SEED`.

    Raises
    ------
    WeightsError : it is no whole number from 0
    """
    seed = text.removeprefix(RANDOM)
    if not (seed.isascii() and seed.isdigit() and len(seed) <= 18):
        raise WeightsError(f"--weights {text}: expected random:SEED with a whole number from 0")
    return int(seed)


def shapes(workload: DecoderWorkload) -> dict[str, Shape]:
    """Name and shape of every tensor that a model needs."""
    return checkpoint_of(workload).shapes(workload)


def random_weights(workload: DecoderWorkload, seed: int) -> GptWeights:
    """Weights as GPT-2 draws them at the start of training, except biases and scales.

    Matrices and embeddings are N(0, 0.02), projections into the residual stream are divided by sqrt(2 layers). GPT-2
    begins with biases of 0 and scales of 1, which would leave their additions and multiplications untested:
    biases are N(0, 0.02), scales 1 + N(0, 0.02). A tensor depends on the seed and on its own name and shape.
    """
    checkpoint = checkpoint_of(workload)

    def draw(name: str, shape: Shape) -> Tensor:
        generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
        values = generator.standard_normal(shape, dtype=np.float32) * np.float32(SPREAD)
        if name.endswith(checkpoint.residual):
            return values / np.float32(sqrt(2 * workload.model.layers))
        return values + np.float32(1) if checkpoint.is_scale(name) else values

    tensors = {name: draw(name, shape) for name, shape in checkpoint.shapes(workload).items()}
    return GptWeights(tensors=tensors, origin=f"random:{seed}", seed=seed)

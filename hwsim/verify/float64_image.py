"""An encoder of images in float64, from its definition alone: the oracle of all machines that encode images.

Patches times a matrix, positions, layers with norms first, exact GELU; in layers with experts the softmax of the
gate's logits over all experts, of which a token keeps the largest as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.models.moe_vit import MoeVitModel
from hwsim.verify.float64 import Values, gelu_erf, layernorm, softmax
from hwsim.verify.image_tensors import ImageModel, gate_name
from hwsim.verify.image_weights import ImageWeights

EPSILON = 1e-6  # of ViT's norms, in M3ViT and in Edge-MoE's source


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedImage:
    """What the layers made of an image.

    Attributes
    ----------
    streams : (tokens, d_model) each: after the embedding, after each layer, after the final norm if it was asked for
    logits : (tokens, experts) for each layer with experts
    choices : (tokens, top_k) for each layer with experts: the best by these logits, the best first
    """

    streams: tuple[Values, ...]
    logits: Mapping[int, Values]
    choices: Mapping[int, NDArray[np.int64]]


class Float64Encoder:
    """The layers of a model over one image.

    Parameters
    ----------
    final_norm : whether the norm after the layers is carried out
    """

    def __init__(self, model: ImageModel, weights: ImageWeights, *, final_norm: bool) -> None:
        self.model = model
        self.weights = weights
        self.final_norm = final_norm

    def run(self, task: int = 0, choices: Mapping[int, NDArray[np.int64]] | None = None) -> EncodedImage:
        """Encode the image.

        Parameters
        ----------
        task : whose gates choose experts
        choices : experts to take in place of the best ones, by layer
        """
        streams: list[Values] = [self._embed()]
        logits: dict[int, Values] = {}
        best: dict[int, NDArray[np.int64]] = {}
        for layer in range(self.model.layers):
            x = streams[-1]
            x = x + self._attention(layer, self._norm(f"l{layer}_norm1", x))
            h = self._norm(f"l{layer}_norm2", x)
            if isinstance(self.model, MoeVitModel) and self.model.has_experts(layer):
                logits[layer] = self._logits(self.model, layer, h, task)
                best[layer] = _best(logits[layer], self.model.top_k)
                taken = best[layer] if choices is None else choices[layer]
                x = x + self._experts(layer, h, softmax(logits[layer]), taken)
            else:
                x = x + self._linear(f"l{layer}_fc2", gelu_erf(self._linear(f"l{layer}_fc1", h)))
            streams.append(x)
        if self.final_norm:
            streams.append(self._norm("norm", streams[-1]))
        return EncodedImage(streams=tuple(streams), logits=logits, choices=best)

    def _embed(self) -> Values:
        """The patches, row by row, after the learned tokens, which are rows of the positions."""
        m, image = self.model, self._of("image")
        rows, columns = m.image_height // m.patch, m.image_width // m.patch
        patches = image.reshape(m.channels, rows, m.patch, columns, m.patch).transpose(1, 3, 0, 2, 4)
        matrix = self._of("patch_embed_weight").reshape(m.d_model, -1)
        tokens = patches.reshape(rows * columns, -1) @ matrix.T + self._of("patch_embed_bias")
        positions = self._of("pos_embed")
        return np.concatenate([positions[: m.class_tokens], tokens + positions[m.class_tokens :]])

    def _attention(self, layer: int, x: Values) -> Values:
        heads, size = self.model.heads, self.model.head_size
        q, k, v = self._linear(f"l{layer}_qkv", x).reshape(len(x), 3, heads, size).transpose(1, 2, 0, 3)
        weights_hqk = softmax(q @ k.transpose(0, 2, 1) / sqrt(size))
        return self._linear(f"l{layer}_attn_proj", (weights_hqk @ v).transpose(1, 0, 2).reshape(len(x), -1))

    def _logits(self, model: MoeVitModel, layer: int, x: Values, task: int) -> Values:
        """(tokens, experts), the softmax of which are the shares."""
        if model.task_embedding:
            vector = self._of("task_embed")[task]
            x = np.concatenate([x, np.broadcast_to(vector, (len(x), len(vector)))], axis=1)
        return np.asarray(x @ self._of(f"l{layer}_{gate_name(model, task)}").T)

    def _experts(self, layer: int, x: Values, shares_te: Values, chosen_tk: NDArray[np.int64]) -> Values:
        """The sum of each token's experts, by their shares."""
        total = np.zeros_like(x)
        for expert in np.unique(chosen_tk).tolist():
            mine = (chosen_tk == expert).any(axis=1)
            hidden = gelu_erf(self._linear(f"l{layer}_htoh4", x[mine], expert))
            total[mine] += shares_te[mine, expert, None] * self._linear(f"l{layer}_h4toh", hidden, expert)
        return total

    def _norm(self, name: str, x: Values) -> Values:
        return layernorm(x, self._of(f"{name}_weight"), self._of(f"{name}_bias"), epsilon=EPSILON)

    def _linear(self, name: str, x: Values, expert: int | None = None) -> Values:
        """`W x + b`, by a layer's matrix or by that of one of its experts."""
        matrix = self._of(f"{name}_weight", expert)
        product = x @ matrix.T
        return product + self._of(f"{name}_bias", expert) if f"{name}_bias" in self.weights.tensors else product

    def _of(self, name: str, expert: int | None = None) -> Values:
        tensor = self.weights[name] if expert is None else self.weights[name][expert]
        return tensor.astype(np.float64)


def _best(logits_te: Values, count: int) -> NDArray[np.int64]:
    """The experts with the largest logits, of equal ones the first."""
    return np.argsort(-logits_te, axis=1, kind="stable")[:, :count].astype(np.int64)

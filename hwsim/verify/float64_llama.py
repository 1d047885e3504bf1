"""A Llama model in float64, from its definition alone: the oracle of all machines that decode it.

Rotations are products of complex numbers and heads are computed one by one: no code is shared with the graph's
operators.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.verify.decoder import DecoderStep
from hwsim.verify.float64 import Values, rmsnorm, silu, softmax
from hwsim.verify.weights import GptWeights


class Float64Llama:
    """Decodes one sequence, a token at a time, with the keys and values of earlier tokens kept."""

    def __init__(self, workload: DecoderWorkload, weights: GptWeights) -> None:
        self.workload = workload
        self.weights = weights
        shape = (workload.model.layers, workload.run.context, workload.model.key_heads, workload.model.head_size)
        self.keys_ltgd = np.zeros(shape)
        self.values_ltgd = np.zeros(shape)
        self.length = 0

    def step(self, token: int, *, emit: bool = True) -> DecoderStep:
        """See `hwsim.verify.decoder.Decoder`."""
        position = self.length
        self.length += 1
        stream = self._tensor("embed_tokens.weight")[token]
        streams = [stream]
        for layer in range(self.workload.model.layers):
            at = f"layers.{layer}."
            normed = rmsnorm(stream, self._tensor(f"{at}input_layernorm.weight"))
            stream = stream + self._attention(layer, position, normed)
            normed = rmsnorm(stream, self._tensor(f"{at}post_attention_layernorm.weight"))
            hidden = silu(self._linear(f"{at}mlp.gate_proj", normed)) * self._linear(f"{at}mlp.up_proj", normed)
            stream = stream + self._linear(f"{at}mlp.down_proj", hidden)
            streams.append(stream)
        head = "embed_tokens" if self.workload.model.tied_embeddings else "lm_head"
        logits = self._linear(head, rmsnorm(stream, self._tensor("norm.weight"))) if emit else None
        return DecoderStep(streams=tuple(streams), logits=logits)

    def rewind(self, length: int) -> None:
        """See `hwsim.verify.decoder.Decoder`."""
        self.length = length

    def _attention(self, layer: int, position: int, x: Values) -> Values:
        w, size, at = self.workload.model, self.workload.model.head_size, f"layers.{layer}.self_attn."
        query_hd = self._linear(f"{at}q_proj", x).reshape(w.heads, size)
        self.keys_ltgd[layer, position] = self._rotated(self._linear(f"{at}k_proj", x).reshape(-1, size), position)
        self.values_ltgd[layer, position] = self._linear(f"{at}v_proj", x).reshape(-1, size)
        first, last = w.pattern_of(layer).keys(position, position + 1)
        mixed = []
        for head, query in enumerate(self._rotated(query_hd, position)):
            group = head // (w.heads // w.key_heads)
            scores = self.keys_ltgd[layer, first:last, group] @ query / sqrt(size)
            mixed.append(softmax(scores) @ self.values_ltgd[layer, first:last, group])
        return self._linear(f"{at}o_proj", np.concatenate(mixed))

    def _rotated(self, x_hd: Values, position: int) -> Values:
        """Each head's halves as real and imaginary parts, turned by the position's angles."""
        half = self.workload.model.head_size // 2
        wavelengths = self.workload.model.rope_theta ** (2 * np.arange(half) / self.workload.model.head_size)
        turned = (x_hd[:, :half] + 1j * x_hd[:, half:]) * np.exp(1j * position / wavelengths)
        return np.concatenate([turned.real, turned.imag], axis=1)

    def _linear(self, name: str, x: Values) -> Values:
        return np.asarray(self._tensor(f"{name}.weight") @ x)

    def _tensor(self, name: str) -> Values:
        return self.weights[name].astype(np.float64)

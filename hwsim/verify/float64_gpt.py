"""A GPT model in float64, from its definition alone: the oracle of all machines that decode."""

from __future__ import annotations

from math import sqrt

import numpy as np

from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.verify.decoder import DecoderStep
from hwsim.verify.float64 import Values, gelu, layernorm, softmax
from hwsim.verify.weights import GptWeights

# Up to this size (2 GiB in float64) converted weights are kept; beyond it, they are converted again to save memory.
KEPT_PARAMETERS = 1 << 28


class Float64Gpt:
    """Decodes one sequence, a token at a time, with the keys and values of earlier tokens kept."""

    def __init__(self, workload: DecoderWorkload, weights: GptWeights) -> None:
        self.workload = workload
        self.weights = weights
        shape = (workload.model.layers, workload.run.context, workload.model.heads, workload.model.head_size)
        self.keys_lthd = np.zeros(shape)
        self.values_lthd = np.zeros(shape)
        self.length = 0
        self._kept: dict[str, Values] = {}

    def step(self, token: int, *, emit: bool = True) -> DecoderStep:
        """See `hwsim.verify.decoder.Decoder`."""
        w, position = self.weights, self.length
        self.length += 1
        stream = w["wte.weight"][token].astype(np.float64) + w["wpe.weight"][position]
        streams = [stream]
        for layer in range(self.workload.model.layers):
            at = f"h.{layer}."
            stream = stream + self._attention(layer, position, self._norm(f"{at}ln_1", stream))
            hidden = gelu(self._linear(f"{at}mlp.c_fc", self._norm(f"{at}ln_2", stream)))
            stream = stream + self._linear(f"{at}mlp.c_proj", hidden)
            streams.append(stream)
        logits = self._matrix("wte.weight") @ self._norm("ln_f", stream) if emit else None
        return DecoderStep(streams=tuple(streams), logits=logits)

    def rewind(self, length: int) -> None:
        """See `hwsim.verify.decoder.Decoder`."""
        self.length = length

    def _attention(self, layer: int, position: int, x: Values) -> Values:
        heads, size = self.workload.model.heads, self.workload.model.head_size
        query_hd, key_hd, value_hd = self._linear(f"h.{layer}.attn.c_attn", x).reshape(3, heads, size)
        self.keys_lthd[layer, position], self.values_lthd[layer, position] = key_hd, value_hd
        seen = self.workload.model.pattern_of(layer).mask(1, position + 1)[0]
        keys_thd, values_thd = (
            self.keys_lthd[layer, : position + 1][seen],
            self.values_lthd[layer, : position + 1][seen],
        )
        weights_ht = softmax(np.einsum("hd,thd->ht", query_hd, keys_thd) / sqrt(size))
        mixed_hd = np.einsum("ht,thd->hd", weights_ht, values_thd)
        return self._linear(f"h.{layer}.attn.c_proj", mixed_hd.ravel())

    def _linear(self, name: str, x: Values) -> Values:
        return np.asarray(x @ self._matrix(f"{name}.weight") + self.weights[f"{name}.bias"])

    def _matrix(self, name: str) -> Values:
        """A matrix in float64; kept where the model is small enough to keep all of them."""
        if name in self._kept:
            return self._kept[name]
        matrix = self.weights[name].astype(np.float64)
        if self.workload.model.parameters <= KEPT_PARAMETERS:
            self._kept[name] = matrix
        return matrix

    def _norm(self, name: str, x: Values) -> Values:
        return layernorm(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

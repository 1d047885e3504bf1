"""The golden encoder, each function of which is compared with float64's on the same inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.layernorm.golden import statistics
from hwsim.rtl.patch_embed.golden import patches
from hwsim.rtl.ports import Codes
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.verify import float64
from hwsim.verify.float64 import Values
from hwsim.verify.float64_image import EPSILON
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.choice import Choice
from hwsim.verify.image_encoder.codes import EncoderCodes, Matrix
from hwsim.verify.image_encoder.encoder import GoldenEncoder
from hwsim.verify.image_tensors import ImageModel
from hwsim.verify.statistics import FunctionErrors


class ObservedEncoder(GoldenEncoder):
    """The golden encoder with errors of its functions, and with how many of their results wrapped, layer by layer.

    A result that wrapped is about a whole range of its accumulator away from float64's for the same inputs, which no
    floor is. So an overflow is counted where the distance is more than a quarter of the range.

    Attributes
    ----------
    progress : called with (layers done, layers in all)
    errors : of each function, over all layers
    results, wrapped : how many results the functions of a layer had, and how many of each function's wrapped;
        layer None is what comes before and after the layers
    """

    def __init__(
        self,
        model: ImageModel,
        blocks: EncoderBlocks,
        codes: EncoderCodes,
        *,
        final_norm: bool,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        super().__init__(model, blocks, codes, final_norm=final_norm)
        self.progress = progress or (lambda done, total: None)
        self.errors = FunctionErrors()
        self.results: Counter[int | None] = Counter()
        self.wrapped: dict[int | None, Counter[str]] = {}
        self._layer: int | None = None

    def layer(self, layer: int, x: Codes, task: int) -> tuple[Codes, Choice | None]:
        self._layer = layer
        made = super().layer(layer, x, task)
        self._layer = None
        self.progress(layer + 1, self.model.layers)
        return made

    def embed(self) -> Codes:
        result = super().embed()
        c, learned = self.blocks.patch_embed, self.model.class_tokens
        pixels = c.pixel.dequantise(patches(c, self.codes["image"]))
        weight = c.weight.dequantise(self.codes["patch_embed_weight"]).reshape(self.model.d_model, -1)
        tokens = pixels @ weight.T + c.bias.dequantise(self.codes["patch_embed_bias"])
        exact = tokens + c.position.dequantise(self.codes["pos_embed"][learned:])
        self.observe("patch_embed", result[learned:], exact, c.accumulator)
        return result

    def norm(self, name: str, x: Codes) -> Codes:
        c, result = self.blocks.layernorm, super().norm(name, x)
        values, (_, variance) = c.activation.dequantise(x), statistics(c, x)
        self.count("variance", c.accumulator.dequantise(variance), values.var(axis=1), quarter=_quarter(c.accumulator))
        gamma, beta = c.weight.dequantise(self.codes[f"{name}_weight"]), c.bias.dequantise(self.codes[f"{name}_bias"])
        self.observe("layernorm", result, float64.layernorm(values, gamma, beta, epsilon=EPSILON), c.activation)
        return result

    def linear(self, role: str, matrix: Matrix, x: Codes) -> Codes:
        c, result = self.blocks.linear, super().linear(role, matrix, x)
        exact = c.activation.dequantise(x) @ c.weight.dequantise(matrix.weight).T + c.bias.dequantise(matrix.bias)
        self.observe(role, result, exact, c.accumulator)
        return result

    def scores(self, q_htd: Codes, k_htd: Codes) -> Codes:
        c, result = self.blocks.qk_reorder, super().scores(q_htd, k_htd)
        q, k = (c.activation.dequantise(x) for x in (q_htd, k_htd))
        scale = c.scale_code * c.scale.resolution
        exact = q @ k.transpose(0, 2, 1) * scale
        self.observe("scores", result, exact, c.activation, quarter=_quarter(c.accumulator) * scale)
        return result

    def softmax(self, scores_hqk: Codes) -> Codes:
        fmt, result = self.blocks.activation, super().softmax(scores_hqk)
        self.observe("softmax", result, float64.softmax(fmt.dequantise(scores_hqk)), fmt)
        return result

    def values(self, shares_hqk: Codes, v_htd: Codes) -> Codes:
        c, result = self.blocks.mv, super().values(shares_hqk, v_htd)
        exact = c.activation.dequantise(shares_hqk) @ c.activation.dequantise(v_htd)
        self.observe("values", result, exact, c.activation, quarter=_quarter(c.accumulator))
        return result

    def gelu(self, x: Codes) -> Codes:
        fmt, result = self.blocks.linear.accumulator, super().gelu(x)
        self.observe("gelu_erf", result, float64.gelu_erf(fmt.dequantise(x)), fmt)
        return result

    def logits(self, gate: TopkGateContract, x: Codes, weights: Codes) -> Codes:
        result = super().logits(gate, x, weights)
        exact = gate.activation.dequantise(x) @ gate.weight.dequantise(weights).T
        self.observe("gate", result, exact, gate.accumulator)
        return result

    def pick(self, gate: TopkGateContract, logits_te: Codes) -> Choice:
        choice = super().pick(gate, logits_te)
        shares_te = float64.softmax(gate.accumulator.dequantise(logits_te))
        exact = np.take_along_axis(shares_te, choice.experts_tk, axis=1)
        self.observe("gate_score", choice.scores_tk, exact, gate.score)
        return choice

    def add_scored(self, total: Codes, y: Codes, scores: Codes) -> Codes:
        c, result = self.blocks.linear, super().add_scored(total, y, scores)
        scored = c.score.dequantise(scores)[:, None] * c.accumulator.dequantise(y)
        self.observe("add_scored", result, c.accumulator.dequantise(total) + scored, c.accumulator)
        return result

    def add(self, x: Codes, y: Codes) -> Codes:
        fmt, result = self.blocks.activation, super().add(x, y)
        self.observe("residual", result, fmt.dequantise(x) + fmt.dequantise(y), fmt)
        return result

    def observe(self, function: str, result: Codes, exact: Values, fmt: Fixed, *, quarter: float | None = None) -> None:
        """Take note of a function's results, codes of `fmt`.

        Parameters
        ----------
        quarter : of the range of the accumulator, where that is another than the result's
        """
        values = fmt.dequantise(result)
        self.errors.observe(function, values, exact)
        self.count(function, values, exact, quarter=quarter or _quarter(fmt))

    def count(self, function: str, result: Values, exact: Values, *, quarter: float) -> None:
        """Count the results that are more than `quarter` away from the exact ones."""
        self.results[self._layer] += result.size
        far = int((np.abs(result - exact) > quarter).sum())
        self.wrapped.setdefault(self._layer, Counter())[function] += far


def _quarter(fmt: Fixed) -> float:
    """A quarter of a format's range."""
    return fmt.resolution * 2.0 ** (fmt.width - 2)

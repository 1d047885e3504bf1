"""The golden encoder: an image through patch embedding and layers, every array as a machine's blocks make it.

Arithmetic is that of the blocks' golden models (`hwsim.rtl`), taken over whole arrays; what streams, tiles and slots
decide about numbers is the order of the softmax's sums alone.

Source: Edge-MoE, schedule of a layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.mapping.models.moe_vit import MoeVitModel
from hwsim.rtl.gelu_delta.golden import gelu
from hwsim.rtl.layernorm.golden import layernorm
from hwsim.rtl.linear.golden import add_scored
from hwsim.rtl.mv.golden import probabilities
from hwsim.rtl.online_softmax.golden import softmax_info
from hwsim.rtl.patch_embed.golden import add_position, patches
from hwsim.rtl.ports import Codes
from hwsim.rtl.residual_add.golden import residual_add
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.verify.image_encoder.attention import all_scores, weighted_values
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.choice import Choice, choose_experts, gate_logits
from hwsim.verify.image_encoder.codes import EncoderCodes, Matrix
from hwsim.verify.image_encoder.floored_sums import floored_sums
from hwsim.verify.image_tensors import ImageModel, gate_name


@dataclass(frozen=True, kw_only=True, eq=False)
class EncoderPass:
    """What one pass over an image made.

    Attributes
    ----------
    streams : (tokens, d_model) codes each: after the embedding, each layer, and the final norm if it was asked for
    choices : the experts that each layer with experts chose
    """

    streams: tuple[Codes, ...]
    choices: Mapping[int, Choice]


class GoldenEncoder:
    """The layers of a model over one image, in the arithmetic of some blocks.

    Parameters
    ----------
    final_norm : whether the norm after the layers is carried out

    Raises
    ------
    MappingError : blocks of other sizes than the model's
    """

    def __init__(self, model: ImageModel, blocks: EncoderBlocks, codes: EncoderCodes, *, final_norm: bool) -> None:
        blocks.check(model)
        self.model = model
        self.blocks = blocks
        self.codes = codes
        self.final_norm = final_norm

    def run(self, task: int = 0) -> EncoderPass:
        """Encode the image.

        Parameters
        ----------
        task : whose gates choose experts
        """
        streams, choices = [self.embed()], {}
        for layer in range(self.model.layers):
            x, choice = self.layer(layer, streams[-1], task)
            streams.append(x)
            if choice is not None:
                choices[layer] = choice
        if self.final_norm:
            streams.append(self.norm("norm", streams[-1]))
        return EncoderPass(streams=tuple(streams), choices=choices)

    def layer(self, layer: int, x: Codes, task: int) -> tuple[Codes, Choice | None]:
        """The stream after a layer, and the experts of its tokens if it has experts."""
        x = self.attend(layer, x)
        h = self.norm(f"l{layer}_norm2", x)
        if isinstance(self.model, MoeVitModel) and self.model.has_experts(layer):
            choice = self.choose(self.model, layer, h, task)
            return self.add(x, self.experts(layer, h, choice)), choice
        return self.add(x, self.hidden_layer(layer, h)), None

    def embed(self) -> Codes:
        """The patches after the learned tokens, which are rows of the positions."""
        c, learned = self.blocks.patch_embed, self.model.class_tokens
        weight, positions = self.codes["patch_embed_weight"], self.codes["pos_embed"]
        start = recode(self.codes["patch_embed_bias"], c.bias.fraction, c.accumulator)
        places = c.pixel.fraction + c.weight.fraction - c.accumulator.fraction
        sums = floored_sums(patches(c, self.codes["image"]), weight.reshape(len(weight), -1), places)
        tokens = recode(start + sums, c.accumulator.fraction, c.accumulator)
        first = add_position(c, np.zeros_like(positions[:learned]), positions[:learned])
        return np.concatenate([first, add_position(c, tokens, positions[learned:])])

    def attend(self, layer: int, x: Codes) -> Codes:
        """The first half of a layer: norm, attention, addition."""
        h = self.norm(f"l{layer}_norm1", x)
        d, qkv = self.model.d_model, self.codes.matrix(f"l{layer}_qkv")
        q, k, v = (self._heads(self.linear("qkv", qkv.rows(i * d, (i + 1) * d), h)) for i in range(3))
        scores_hqk = self.scores(q, k)
        mixed_htd = self.values(self.softmax(scores_hqk), v)
        mixed = mixed_htd.transpose(1, 0, 2).reshape(x.shape)
        return self.add(x, self.linear("proj", self.codes.matrix(f"l{layer}_attn_proj"), mixed))

    def hidden_layer(self, layer: int, x: Codes) -> Codes:
        """The two matrices of a layer without experts."""
        hidden = self.gelu(self.linear("ffn1", self.codes.matrix(f"l{layer}_fc1"), x))
        return self.linear("ffn2", self.codes.matrix(f"l{layer}_fc2"), hidden)

    def experts(self, layer: int, x: Codes, choice: Choice) -> Codes:
        """Expert by expert the tokens that chose it; their products with the scores are added onto zeros."""
        total = np.zeros_like(x)
        for expert in np.unique(choice.experts_tk).tolist():
            tokens, scores = choice.queue(expert)
            hidden = self.gelu(self.linear("ffn1", self.codes.matrix(f"l{layer}_htoh4", expert), x[tokens]))
            y = self.linear("ffn2", self.codes.matrix(f"l{layer}_h4toh", expert), hidden)
            total[tokens] = self.add_scored(total[tokens], y, scores)
        return total

    def norm(self, name: str, x: Codes) -> Codes:
        """Layer norm of each token."""
        return layernorm(self.blocks.layernorm, x, self.codes[f"{name}_weight"], self.codes[f"{name}_bias"])

    def linear(self, role: str, matrix: Matrix, x: Codes) -> Codes:
        """`W x + bias` of each token, as the unified unit does for all matrices; `role` is for who observes."""
        c = self.blocks.linear
        start = recode(matrix.bias, c.bias.fraction, c.accumulator)
        sums = floored_sums(x, matrix.weight, c.activation.fraction + c.weight.fraction - c.accumulator.fraction)
        return recode(start + sums, c.accumulator.fraction, c.accumulator)

    def scores(self, q_htd: Codes, k_htd: Codes) -> Codes:
        """(heads, queries, keys) scaled scores."""
        return all_scores(self.blocks.qk_reorder, q_htd, k_htd)

    def softmax(self, scores_hqk: Codes) -> Codes:
        """(heads, queries, keys) probabilities, by maxima and sums of a single pass."""
        inverse_hq, maximum_hq = softmax_info(self.blocks.online_softmax, scores_hqk)
        return probabilities(self.blocks.mv, scores_hqk, inverse_hq[:, :, None], maximum_hq[:, :, None])

    def values(self, shares_hqk: Codes, v_htd: Codes) -> Codes:
        """(heads, queries, head_dim) values, weighted."""
        return weighted_values(self.blocks.mv, shares_hqk, v_htd)

    def gelu(self, x: Codes) -> Codes:
        """GELU of hidden units."""
        return gelu(self.blocks.linear.gelu, x)

    def choose(self, model: MoeVitModel, layer: int, x: Codes, task: int) -> Choice:
        """Each token's experts by the gate of a task."""
        if model.task_embedding:
            vector = self.codes["task_embed"][task]
            x = np.concatenate([x, np.broadcast_to(vector, (len(x), len(vector)))], axis=1)
        gate = self.blocks.topk_gate
        assert gate is not None  # `EncoderBlocks.check` has seen to it
        return self.pick(gate, self.logits(gate, x, self.codes[f"l{layer}_{gate_name(model, task)}"]))

    def logits(self, gate: TopkGateContract, x: Codes, weights: Codes) -> Codes:
        """(tokens, experts) logits of a gate."""
        return gate_logits(gate, x, weights)

    def pick(self, gate: TopkGateContract, logits_te: Codes) -> Choice:
        """The best experts of each token, and their probabilities."""
        return choose_experts(gate, logits_te)

    def add_scored(self, total: Codes, y: Codes, scores: Codes) -> Codes:
        """`total + score y` for some tokens."""
        return add_scored(self.blocks.linear, total, y, scores)

    def add(self, x: Codes, y: Codes) -> Codes:
        """The residual stream and what is added to it."""
        return residual_add(self.blocks.residual_add, x, y)

    def _heads(self, x: Codes) -> Codes:
        """(heads, tokens, head_dim) of (tokens, d_model)."""
        return np.ascontiguousarray(x.reshape(len(x), self.model.heads, self.model.head_size).transpose(1, 0, 2))

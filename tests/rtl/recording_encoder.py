"""The golden encoder, which keeps every array that a program's instructions leave in memory, by their names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwsim.rtl.online_softmax.golden import softmax_info
from hwsim.rtl.ports import Codes
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.choice import Choice
from hwsim.verify.image_encoder.codes import EncoderCodes, Matrix
from hwsim.verify.image_encoder.encoder import GoldenEncoder
from hwsim.verify.image_tensors import ImageModel

NOT_CHOSEN = -1  # no score is negative
DENSE = ("q", "k", "v", "proj", "add1", "ffn1", "ffn2", "add2")


class RecordingEncoder(GoldenEncoder):
    """Runs as the golden encoder does.

    Attributes
    ----------
    made : arrays by the names of instructions, in the order of computation; (tokens, features) unless said otherwise,
        after an expert those of its tokens. `attention.scores` are (heads, queries, keys), `attention.info` the inverse
        sums and maxima, (2, heads, queries), `route` the scores of chosen experts, (tokens, experts)
    """

    def __init__(self, model: ImageModel, blocks: EncoderBlocks, codes: EncoderCodes, *, final_norm: bool) -> None:
        super().__init__(model, blocks, codes, final_norm=final_norm)
        self.made: dict[str, Codes] = {}
        self._layer = 0
        self._leaving: Iterator[str] = iter(())  # names of what linear unit and adder write from here on
        self._through: tuple[str, ...] = ()  # matrices whose sums go through another function first

    def embed(self) -> Codes:
        self.made["embed"] = super().embed()
        return self.made["embed"]

    def layer(self, layer: int, x: Codes, task: int) -> tuple[Codes, Choice | None]:
        self._layer, self._leaving, self._through = layer, iter(DENSE), ("ffn1",)
        return super().layer(layer, x, task)

    def experts(self, layer: int, x: Codes, choice: Choice) -> Codes:
        chosen = np.unique(choice.experts_tk)
        self._leaving = iter([*(f"experts{e}.{part}" for e in chosen for part in ("up", "down")), "add2"])
        self._through = ("ffn1", "ffn2")
        self._keep("experts.zero", np.zeros_like(x))
        return super().experts(layer, x, choice)

    def norm(self, name: str, x: Codes) -> Codes:
        return self._keep(name.partition("_")[2], super().norm(name, x))

    def linear(self, role: str, matrix: Matrix, x: Codes) -> Codes:
        y = super().linear(role, matrix, x)
        return y if role in self._through else self._keep(next(self._leaving), y)

    def gelu(self, x: Codes) -> Codes:
        return self._keep(next(self._leaving), super().gelu(x))

    def add_scored(self, total: Codes, y: Codes, scores: Codes) -> Codes:
        return self._keep(next(self._leaving), super().add_scored(total, y, scores))

    def add(self, x: Codes, y: Codes) -> Codes:
        return self._keep(next(self._leaving), super().add(x, y))

    def scores(self, q_htd: Codes, k_htd: Codes) -> Codes:
        return self._keep("attention.scores", super().scores(q_htd, k_htd))

    def softmax(self, scores_hqk: Codes) -> Codes:
        self._keep("attention.info", np.stack(softmax_info(self.blocks.online_softmax, scores_hqk)))
        return super().softmax(scores_hqk)

    def values(self, shares_hqk: Codes, v_htd: Codes) -> Codes:
        y_htd = super().values(shares_hqk, v_htd)
        self._keep("attention", y_htd.transpose(1, 0, 2).reshape(y_htd.shape[1], -1))
        return y_htd

    def pick(self, gate: TopkGateContract, logits_te: Codes) -> Choice:
        choice = super().pick(gate, logits_te)
        scores_te = np.full(logits_te.shape, NOT_CHOSEN)
        np.put_along_axis(scores_te, choice.experts_tk, choice.scores_tk, axis=1)
        self._keep("route", scores_te)
        return choice

    def _keep(self, name: str, array: Codes) -> Codes:
        self.made[f"l{self._layer}.{name}"] = array
        return array

"""The gate in fixed point over all tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.ports import Codes
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.rtl.topk_gate.golden import choices
from hwsim.verify.image_encoder.floored_sums import floored_sums


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """Each token's experts, the best first, and their scores; (tokens, top) each."""

    experts_tk: Codes
    scores_tk: Codes

    def queue(self, expert: int) -> tuple[Codes, Codes]:
        """The tokens that chose an expert, in their order, and its score for each."""
        tokens, places = np.nonzero(self.experts_tk == expert)
        return tokens, self.scores_tk[tokens, places]


def gate_logits(c: TopkGateContract, x: Codes, weights: Codes) -> Codes:
    """(tokens, experts) codes of `c.accumulator`.

    Parameters
    ----------
    x : (tokens, inputs) codes of `c.activation`
    weights : (experts, inputs) codes of `c.weight`
    """
    places = c.activation.fraction + c.weight.fraction - c.accumulator.fraction
    return recode(floored_sums(x, weights, places), c.accumulator.fraction, c.accumulator)


def choose_experts(c: TopkGateContract, logits_te: Codes) -> Choice:
    """The experts with the largest logits, ties to the lower one, and their probabilities as codes of `c.score`."""
    experts_tk, scores_tk = choices(c, logits_te)
    return Choice(experts_tk=experts_tk, scores_tk=scores_tk)

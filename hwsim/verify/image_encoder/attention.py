"""Attention in fixed point over whole arrays, with sums in the order in which a machine of slots makes them."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.mv.golden import probabilities
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.online_sum.golden import update
from hwsim.rtl.ports import Codes
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.qk_reorder.golden import scores
from hwsim.verify.image_encoder.floored_sums import floored_sums

# Products made at a time; bounds the memory that many tokens take.
AT_ONCE = 1 << 19


def all_scores(c: QkReorderContract, q_htd: Codes, k_htd: Codes) -> Codes:
    """(heads, queries, keys) scores of (heads, tokens, head_dim) queries and keys."""
    _, tokens, size = q_htd.shape
    rows = max(1, AT_ONCE // (tokens * size))
    parts = [
        [scores(c, q_td[first : first + rows, None], k_td) for first in range(0, tokens, rows)]
        for q_td, k_td in zip(q_htd, k_htd)
    ]
    return np.stack([np.concatenate(of_head) for of_head in parts])


def single_pass(c: OnlineSoftmaxContract, scores_hqk: Codes) -> tuple[Codes, Codes]:
    """Inverse sum and maximum of each head's queries, (heads, queries) each.

    A query's scores come from the key with its slot's number on, wrap around at the last key, and end at the key
    before (`hwsim.rtl.skew`). Sums floor when a larger score comes, so this order shows in their last bits.
    """
    tokens = scores_hqk.shape[-1]
    query = np.arange(tokens)
    maximum = np.full(scores_hqk.shape[:2], c.activation.code_range[0])
    total = np.zeros_like(maximum)
    for step in range(tokens):
        score = scores_hqk[:, query, (query % c.slots + step) % tokens]
        maximum, total = update(c.recurrence, maximum, total, score, np.array(step == 0))
    return inverse_root(c.reciprocal, total), maximum


def weighted_values(c: MvContract, probabilities_hqk: Codes, v_htd: Codes) -> Codes:
    """(heads, queries, head_dim) sums of values, each product floored."""
    places = 2 * c.activation.fraction - c.accumulator.fraction
    sums = [floored_sums(p_qk, v_td.T, places) for p_qk, v_td in zip(probabilities_hqk, v_htd)]
    held = recode(np.stack(sums), c.accumulator.fraction, c.accumulator)
    return recode(held, c.accumulator.fraction, c.activation)


def shares(c: MvContract, scores_hqk: Codes, inverse_hq: Codes, maximum_hq: Codes) -> Codes:
    """(heads, queries, keys) probabilities, as they are recomputed before values are weighted."""
    return probabilities(c, scores_hqk, inverse_hq[:, :, None], maximum_hq[:, :, None])

"""Attention in fixed point over whole arrays: the golden models of its blocks, with fewer passes over memory."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.ports import Codes
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.verify.image_encoder.floored_sums import floored_sums


def all_scores(c: QkReorderContract, q_htd: Codes, k_htd: Codes) -> Codes:
    """(heads, queries, keys) scores of (heads, tokens, head_dim) queries and keys, as `hwsim.rtl.qk_reorder.golden`."""
    return np.stack([_scores(c, q_td, k_td) for q_td, k_td in zip(q_htd, k_htd)])


def _scores(c: QkReorderContract, q_td: Codes, k_td: Codes) -> Codes:
    """A head's scores; the scale multiplies the sum of all channels, or that of each beat before these are added."""
    acc, places = c.accumulator, 2 * c.activation.fraction - c.accumulator.fraction
    width, fmt = (c.channels, acc) if c.scales_beats else (c.head_dim, c.activation)
    total = np.zeros((len(q_td), len(k_td)), dtype=np.int64)
    for first in range(0, c.head_dim, width):
        part = slice(first, first + width)
        sums = recode(floored_sums(q_td[:, part], k_td[:, part], places), acc.fraction, acc)
        total += recode(sums * c.scale_code, acc.fraction + c.scale.fraction, fmt)
    return recode(recode(total, fmt.fraction, fmt), fmt.fraction, c.activation)


def weighted_values(c: MvContract, shares_hqk: Codes, v_htd: Codes) -> Codes:
    """(heads, queries, head_dim) sums of values, each product floored, as `hwsim.rtl.mv.golden.attend`."""
    places = 2 * c.activation.fraction - c.accumulator.fraction
    sums = [floored_sums(share_qk, v_td.T, places) for share_qk, v_td in zip(shares_hqk, v_htd)]
    held = recode(np.stack(sums), c.accumulator.fraction, c.accumulator)
    return recode(held, c.accumulator.fraction, c.activation)

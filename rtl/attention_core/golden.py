"""Golden model of the attention cores, of many rows and all cores at once."""

from __future__ import annotations

import numpy as np

from hwsim.rtl.attention_core.contract import AttentionCoreContract
from hwsim.rtl.float_values import Floats, convert, dtype_of, rounded_exp, to_format


def scale_queries(c: AttentionCoreContract, q: Floats, scale: float) -> Floats:
    """Q as it comes to the cores: times the scale of the scores, factor and product rounded to `c.fmt`.

    Scores are then scaled without a multiplier in each core. A power of two, as for H = 64, loses nothing.
    """
    return q * to_format(scale, c.fmt)


def score(c: AttentionCoreContract, q_hr: Floats, k_hrc: Floats) -> Floats:
    """(rows, cores) scores in `c.fmt`.

    There is one sum, so products are added element after element, from 0 on. Each product is rounded to `c.fmt`, each
    sum to `c.sum_fmt`.

    Parameters
    ----------
    q_hr : (H, rows) in `c.fmt`
    k_hrc : (H, rows, cores) in `c.fmt`, what each core holds when a row arrives
    """
    total = np.zeros(k_hrc.shape[1:], dtype=dtype_of(c.sum_fmt))
    for q_r, k_rc in zip(q_hr, k_hrc):
        total += convert(q_r[:, np.newaxis] * k_rc, c.sum_fmt)
    return convert(total, c.fmt)


def add_bias(score_rc: Floats, bias_rc: Floats) -> Floats:
    """Scores with what is added to each, rounded to their format."""
    return score_rc + bias_rc


def shift(score_rc: Floats, maximum_r: Floats) -> Floats:
    """Scores less their row's maximum, rounded to the scores' format."""
    return score_rc - maximum_r[:, np.newaxis]


def exponential(c: AttentionCoreContract, score_rc: Floats) -> Floats:
    """Exp of scores, rounded once to `c.fmt`: infinite from there on, and 0 up to there, where it rounds to that."""
    return rounded_exp(score_rc, c.fmt)


def weigh(exp_rc: Floats, v_hrc: Floats) -> Floats:
    """(H, rows, cores) products of each core's row of V and its exp, rounded to their format."""
    return exp_rc * v_hrc

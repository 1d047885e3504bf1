"""Golden model of attention's values, bit-exact with `component.Mv`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.exp.golden import exp
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.skew import row_count, skewed_rows


def probabilities(c: MvContract, scores: Codes, inverse: Codes, bias: Codes) -> Codes:
    """`exp(scores - bias) * inverse`, with broadcasting, as codes of `c.activation`."""
    powers = exp(c.exp, scores - bias)
    return recode(powers * inverse, c.exponential.fraction + c.inverse.fraction, c.activation)


def weigh(c: MvContract, total: Codes, probability: Codes, v: Codes) -> Codes:
    """`total + probability * v`, with broadcasting, as codes of `c.accumulator`."""
    products = recode(probability * v, 2 * c.activation.fraction, c.accumulator)
    return recode(total + products, c.accumulator.fraction, c.accumulator)


def attend(c: MvContract, probability_hqk: Codes, v: Codes) -> Codes:
    """Values weighted by probabilities, without any reordering.

    Parameters
    ----------
    probability_hqk : (heads, queries, keys) codes of `c.activation`
    v : (keys, heads, head_dim) codes of `c.activation`

    Returns
    -------
    (queries, heads, head_dim) codes of `c.activation`
    """
    total = np.zeros((probability_hqk.shape[1], *v.shape[1:]), dtype=np.int64)
    for probability_qh, v_hc in zip(probability_hqk.transpose(2, 1, 0), v):
        total = weigh(c, total, probability_qh[:, :, None], v_hc)
    return recode(total, c.accumulator.fraction, c.activation)


def run(c: MvContract, inputs: Streams) -> Streams:
    """The results of each command, in the order of queries."""
    results = np.array(list(_results(c, inputs)), dtype=np.int64)
    return {"y": {"values": results.reshape(-1, c.channels)}}


def _results(c: MvContract, inputs: Streams) -> Iterator[Codes]:
    """(heads, head_dim) codes of `c.activation` of each query."""
    info = iter(zip(inputs["info"]["inverse"], inputs["info"]["bias"]))
    scores = inputs["scores"]["values"].reshape(-1, c.heads, c.slots).transpose(0, 2, 1)
    masks = inputs["scores"]["mask"].reshape(-1, c.heads, c.slots).transpose(0, 2, 1)
    v = inputs["v"]["values"].reshape(-1, c.heads, c.head_dim)
    inverse, bias = np.zeros((2, c.slots, c.heads), dtype=np.int64)
    totals = np.zeros((c.slots, c.heads, c.head_dim), dtype=np.int64)
    start = 0
    for tokens in inputs["command"]["tokens"].tolist():
        for i, row in enumerate(skewed_rows(tokens, c.slots), start):
            if row.refill is not None:
                inverse[row.refill], bias[row.refill] = next(info)
                totals[row.refill] = 0
            probability = np.where(masks[i] != 0, probabilities(c, scores[i], inverse, bias), 0)
            totals = weigh(c, totals, probability[:, :, None], v[i])
            if row.leaves is not None:
                yield recode(totals[row.leaves], c.accumulator.fraction, c.activation)
        start += row_count(tokens, c.slots)

"""Golden model of the softmax in a single pass, bit-exact with `component.OnlineSoftmax`."""

from __future__ import annotations

import numpy as np

from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.online_sum.golden import update
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.skew import skewed_rows


def online_softmax(c: OnlineSoftmaxContract, tokens: int, scores: Codes, mask: Codes) -> tuple[Codes, Codes]:
    """Inverse sum and maximum of each query and head.

    Parameters
    ----------
    tokens : of the sequence
    scores : (rows, heads, slots) codes of `c.activation` in the skewed order
    mask : of the same shape; a score counts if it is 1 and the slot holds a query

    Returns
    -------
    inverse : (tokens, heads) codes of `c.inverse`
    bias : (tokens, heads) codes of `c.activation`

    If no score of a query counts, its sum is 0 and its maximum the least code.

    Source: Edge-MoE, single-pass softmax.
    """
    maximum = np.full((c.heads, c.slots), c.activation.code_range[0])
    total = np.zeros((c.heads, c.slots), dtype=np.int64)
    inverse, bias = (np.zeros((tokens, c.heads), dtype=np.int64) for _ in range(2))
    for i, row in enumerate(skewed_rows(tokens, c.slots)):
        first = np.arange(c.slots) == row.refill
        maximum, total = np.where(first, c.activation.code_range[0], maximum), np.where(first, 0, total)
        longer = update(c.recurrence, maximum, total, scores[i], first)
        maximum, total = (np.where(mask[i], new, old) for new, old in zip(longer, (maximum, total)))
        if (slot := row.leaves) is not None:
            query = row.queries[slot]
            inverse[query] = inverse_root(c.reciprocal, total[:, slot])
            bias[query] = maximum[:, slot]
    return inverse, bias


def run(c: OnlineSoftmaxContract, inputs: Streams) -> Streams:
    """The scores as they came, and the info of all commands' queries."""
    info, start = [(np.zeros((0, c.heads), dtype=np.int64),) * 2], 0
    for tokens in inputs["command"]["tokens"].tolist():
        stop = start + c.rows(tokens) * c.heads
        parts = (inputs["scores"][name][start:stop].reshape(-1, c.heads, c.slots) for name in ("values", "mask"))
        info.append(online_softmax(c, tokens, *parts))
        start = stop
    inverse, bias = (np.concatenate(parts) for parts in zip(*info))
    return {"raw": dict(inputs["scores"]), "info": {"inverse": inverse, "bias": bias}}

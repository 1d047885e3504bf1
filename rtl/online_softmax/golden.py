"""Golden model of the softmax in a single pass, bit-exact with `component.OnlineSoftmax`."""

from __future__ import annotations

import numpy as np

from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.online_sum.golden import run_sums
from hwsim.rtl.ports import Codes, Streams


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
    arrival, slot = arrivals(c, tokens)
    values, counts = (codes[arrival, :, slot] for codes in (scores, mask))  # (keys, queries, heads)
    maximum, total = run_sums(c.recurrence, values, counts)
    return inverse_root(c.reciprocal, total), maximum


def softmax_info(c: OnlineSoftmaxContract, scores_hqk: Codes) -> tuple[Codes, Codes]:
    """Inverse sum and maximum of each head and query, from scores of plain attention.

    Parameters
    ----------
    scores_hqk : (heads, queries, keys) codes of `c.activation`, as many queries as keys

    Returns
    -------
    inverse_hq, bias_hq : as of `online_softmax`; each query's keys come in the skewed order, on which the sum's floors
        depend
    """
    tokens = scores_hqk.shape[-1]
    key = arrivals(c, tokens)[0] % max(tokens, 1)
    values = scores_hqk[:, np.arange(tokens), key].transpose(1, 0, 2)  # (keys, heads, queries)
    maximum, total = run_sums(c.recurrence, values)
    return inverse_root(c.reciprocal, total), maximum


def arrivals(c: OnlineSoftmaxContract, tokens: int) -> tuple[Codes, Codes]:
    """The rows of the skewed order in which each query meets its keys, (keys, queries), and each query's slot."""
    query = np.arange(tokens, dtype=np.int64)
    slot = query % c.slots
    return query // c.slots * tokens + slot + np.arange(tokens, dtype=np.int64)[:, None], slot


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

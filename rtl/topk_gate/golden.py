"""Golden model of the gate, bit-exact with `component.TopkGate`."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.divide.golden import divide
from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.online_sum.golden import exponential, run_sums
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.topk_gate.contract import TopkGateContract


def logits(c: TopkGateContract, x: Codes, weights: Codes) -> Codes:
    """The logits of a token, or of several.

    Parameters
    ----------
    x : (..., inputs) codes of `c.activation`
    weights : (experts, inputs) codes of `c.weight`

    Returns
    -------
    (..., experts) codes of `c.accumulator`
    """
    products = recode(x[..., None, :] * weights, c.activation.fraction + c.weight.fraction, c.accumulator)
    # sums wrap: wrapping once at the end gives the same result
    return recode(products.sum(axis=-1), c.accumulator.fraction, c.accumulator)


def choices(c: TopkGateContract, logits_te: Codes) -> tuple[Codes, Codes]:
    """The best `c.top` experts of each token, the best first, and their probabilities.

    Parameters
    ----------
    logits_te : (tokens, experts) codes of `c.accumulator`

    Returns
    -------
    experts : (tokens, top)
    scores : (tokens, top) codes of `c.score`

    Source: Edge-MoE, gate; an insertion keeps the entries before it; the published source fails to do so.
    """
    maximum, total = run_sums(c.recurrence, logits_te.T)
    best = np.argsort(-logits_te, axis=1, kind="stable")[:, : c.top]
    power = exponential(c.recurrence, np.take_along_axis(logits_te, best, axis=1) - maximum[:, None])
    return best, probability(c, power, total[:, None])


def probability(c: TopkGateContract, power: Codes, total: Codes) -> Codes:
    """`power / total`, codes of `c.exponential` and `c.total`, with broadcasting, as codes of `c.score`."""
    if c.probability == "quotient":
        return divide(c.divider, power, total)
    inverse = inverse_root(c.reciprocal, total)
    return recode(power * inverse, c.exponential.fraction + c.inverse.fraction, c.score)


def choose(c: TopkGateContract, logits_e: Codes) -> list[tuple[int, int]]:
    """The best `c.top` experts of a token, the best first, each with its probability as a code of `c.score`."""
    experts, scores = choices(c, logits_e[None])
    return list(zip(experts[0].tolist(), scores[0].tolist()))


def queues(c: TopkGateContract, x: Codes, weights: Codes) -> list[list[tuple[int, int]]]:
    """For each expert its (token, score) in the order of tokens; `x` is (tokens, inputs)."""
    filled: list[list[tuple[int, int]]] = [[] for _ in range(c.experts)]
    for token, chosen in enumerate(zip(*(codes.tolist() for codes in choices(c, logits(c, x, weights))))):
        for expert, score in zip(*chosen):
            filled[expert].append((token, score))
    return filled


def run(c: TopkGateContract, inputs: Streams) -> Streams:
    """The queues of all commands, one after the other; weights are kept between commands and start as zeros."""
    loaded = inputs["weights"]["values"].reshape(-1, c.experts, c.inputs)
    x, weights = inputs["x"]["values"].reshape(-1, c.inputs), np.zeros((c.experts, c.inputs), dtype=np.int64)
    meta: list[tuple[int, int, int]] = []
    queue: list[tuple[int, int, int]] = []
    for load, tokens in zip(inputs["command"]["load"].tolist(), inputs["command"]["tokens"].tolist()):
        if load:
            weights, loaded = loaded[0], loaded[1:]
        filled = [(expert, entries) for expert, entries in enumerate(queues(c, x[:tokens], weights)) if entries]
        x = x[tokens:]
        meta += [(e, len(entries), i == len(filled) - 1) for i, (e, entries) in enumerate(filled)]
        queue += [(*entry, i == len(entries) - 1) for _, entries in filled for i, entry in enumerate(entries)]
    columns_m, columns_q = (np.array(rows, dtype=np.int64).reshape(-1, 3).T for rows in (meta, queue))
    return {
        "meta": dict(zip(("expert", "length", "last"), columns_m)),
        "queue": dict(zip(("token", "score", "last"), columns_q)),
    }

"""Golden model of the gate, bit-exact with `component.TopkGate`."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.mac_tile.golden import mac_tile
from hwsim.rtl.online_sum.golden import exponential, update
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.topk_gate.contract import TopkGateContract


def logits(c: TopkGateContract, x: Codes, weights: Codes) -> Codes:
    """The logits of a token.

    Parameters
    ----------
    x : (inputs,) codes of `c.activation`
    weights : (experts, inputs) codes of `c.weight`

    Returns
    -------
    (experts,) codes of `c.accumulator`
    """
    tiles = weights.reshape(c.experts, c.tiles, c.lanes).transpose(1, 0, 2)
    return mac_tile(c.mac, x.reshape(c.tiles, c.lanes), tiles, np.zeros(c.experts, dtype=np.int64))


def choose(c: TopkGateContract, logits_e: Codes) -> list[tuple[int, int]]:
    """The best `c.top` experts of a token, the best first, each with its probability as a code of `c.score`.

    Source: Edge-MoE, gate; an insertion keeps the entries before it; the published source fails to do so.
    """
    maximum, total = np.array(c.accumulator.code_range[0]), np.array(0)
    for expert, logit in enumerate(logits_e):
        maximum, total = update(c.recurrence, maximum, total, logit, np.array(expert == 0))
    inverse = inverse_root(c.reciprocal, total)
    best = sorted(range(c.experts), key=lambda expert: (-logits_e[expert], expert))[: c.top]
    power = exponential(c.recurrence, logits_e[best] - maximum)
    scores = recode(power * inverse, c.exponential.fraction + c.inverse.fraction, c.score)
    return list(zip(best, scores.tolist()))


def queues(c: TopkGateContract, x: Codes, weights: Codes) -> list[list[tuple[int, int]]]:
    """For each expert its (token, score) in the order of tokens; `x` is (tokens, inputs)."""
    filled: list[list[tuple[int, int]]] = [[] for _ in range(c.experts)]
    for token, x_i in enumerate(x):
        for expert, score in choose(c, logits(c, x_i, weights)):
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

"""How scores and the softmax's results lie in memory.

Rows of scores follow each other in the skewed order (`hwsim.rtl.skew`); a row has the slots one after the other, each
with its heads, filled up to a power of two. Of a query, each head has its inverse sum and its maximum. The mask of
scores is not stored: it follows from the order.
"""

from __future__ import annotations

import numpy as np

from hwsim.machines.edge_moe.design import Design
from hwsim.rtl.ports import Codes
from hwsim.rtl.skew import skewed_rows


def score_numbers(design: Design, values: Codes) -> Codes:
    """Numbers in memory of (rows x heads, slots) scores."""
    heads, slots = design.qk.heads, design.qk.slots
    rows_sh = values.reshape(-1, heads, slots).transpose(0, 2, 1)
    numbers = np.zeros((len(rows_sh), design.score_beats * design.lanes), dtype=np.int64)
    _slots(design, numbers)[:, :, :heads] = rows_sh
    return numbers


def score_values(design: Design, numbers: Codes) -> Codes:
    """The reverse of `score_numbers`."""
    rows_sh = _slots(design, numbers.reshape(-1, design.score_beats * design.lanes))[:, :, : design.qk.heads]
    return rows_sh.transpose(0, 2, 1).reshape(-1, design.qk.slots)


def score_masks(design: Design, tokens: int) -> Codes:
    """(rows x heads, slots): 1 where a slot holds a query."""
    rows = np.array([row.mask for row in skewed_rows(tokens, design.qk.slots)], dtype=np.int64)
    return np.repeat(rows, design.qk.heads, axis=0)


def scores_of_queries(design: Design, values: Codes, tokens: int) -> Codes:
    """(heads, queries, keys) of (rows x heads, slots)."""
    scores_hqk = np.zeros((design.qk.heads, tokens, tokens), dtype=np.int64)
    rows = values.reshape(-1, design.qk.heads, design.qk.slots)
    for row, scores_hs in zip(skewed_rows(tokens, design.qk.slots), rows):
        for slot, query in enumerate(row.queries):
            if query is not None:
                scores_hqk[:, query, row.key] = scores_hs[:, slot]
    return scores_hqk


def info_numbers(design: Design, inverse: Codes, maximum: Codes) -> Codes:
    """Numbers in memory of (queries, heads) inverse sums and maxima."""
    numbers = np.zeros((len(inverse), design.info_beats * design.lanes), dtype=np.int64)
    numbers[:, : 2 * design.qk.heads] = np.stack([inverse, maximum], axis=2).reshape(len(inverse), -1)
    return numbers


def info_values(design: Design, numbers: Codes) -> tuple[Codes, Codes]:
    """The reverse of `info_numbers`."""
    rows = numbers.reshape(-1, design.info_beats * design.lanes)[:, : 2 * design.qk.heads]
    return rows[:, ::2], rows[:, 1::2]


def _slots(design: Design, numbers: Codes) -> Codes:
    """(rows, slots, heads filled up) in rows of numbers."""
    heads = 1 << (design.qk.heads - 1).bit_length()
    return numbers[:, : design.qk.slots * heads].reshape(-1, design.qk.slots, heads)

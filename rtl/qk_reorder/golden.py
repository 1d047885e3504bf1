"""Golden model of the scores of attention, bit-exact with `component.QkReorder`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwsim.mapping.formats import Fixed, recode
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.skew import row_count, skewed_rows


def scores(c: QkReorderContract, q: Codes, k: Codes) -> Codes:
    """Scores of queries and keys, without any reordering.

    Parameters
    ----------
    q : (..., head_dim) codes of `c.activation`
    k : (..., head_dim) codes of `c.activation`, its leading axes broadcast against those of `q`

    Returns
    -------
    (...) codes of `c.activation`
    """
    products = recode(q * k, 2 * c.activation.fraction, c.accumulator)
    if not c.scales_beats:
        return _scaled(c, _sum(c, products), c.activation)
    beats = _sum(c, products.reshape(*products.shape[:-1], c.head_beats, c.channels))
    return recode(_sum(c, _scaled(c, beats, c.accumulator)), c.accumulator.fraction, c.activation)


def _sum(c: QkReorderContract, terms: Codes) -> Codes:
    """Sums over the last axis, as codes of `c.accumulator`; they wrap, once at the end as well as each time."""
    return recode(terms.sum(axis=-1), c.accumulator.fraction, c.accumulator)


def _scaled(c: QkReorderContract, total: Codes, fmt: Fixed) -> Codes:
    return recode(total * c.scale_code, c.accumulator.fraction + c.scale.fraction, fmt)


def run(c: QkReorderContract, inputs: Streams) -> Streams:
    """The scores of each command, in the skewed order, row > head."""
    q, k = (_by_token(c, inputs[name]["values"]) for name in ("q", "k"))
    beats = list(_beats(c, inputs["command"]["tokens"].tolist(), q, k))
    values, masks = ([beat[i] for beat in beats] for i in (0, 1))
    return {
        "scores": {
            "values": np.array(values, dtype=np.int64).reshape(-1, c.slots),
            "mask": np.array(masks, dtype=np.int64).reshape(-1, c.slots),
        }
    }


def _beats(c: QkReorderContract, commands: list[int], q: Codes, k: Codes) -> Iterator[tuple[Codes, Codes]]:
    held = np.zeros((c.slots, c.heads, c.head_dim), dtype=np.int64)
    for tokens in commands:
        queries, keys = q[:tokens], k[: row_count(tokens, c.slots)]
        q, k = q[len(queries) :], k[len(keys) :]
        for row, key in zip(skewed_rows(tokens, c.slots), keys):
            if row.refill is not None:
                held[row.refill] = queries[row.queries[row.refill]]
            mask = np.array(row.mask, dtype=np.int64)
            for values in np.where(mask[:, None], scores(c, held, key), 0).T:  # a head each
                yield values, mask


def _by_token(c: QkReorderContract, beats: Codes) -> Codes:
    """Beats as (tokens, heads, head_dim)."""
    return beats.reshape(-1, c.heads, c.head_dim)

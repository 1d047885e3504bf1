"""Rows of a head through the cores, pass by pass, as a plan says which core holds which key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import MappingError
from hwsim.mapping.cores.plan import CorePass, CorePlan
from hwsim.rtl.float_values import Floats
from hwsim.rtl.row_attention.events import Events
from hwsim.rtl.row_attention.golden import IDLE, Partial, RowAttention
from hwsim.verify.row_attention.biases import PairBiases

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Computed:
    """Rows that went through the cores.

    Attributes
    ----------
    results_rh : (rows, H of a value)
    lost_r : (rows,) whether a result or the sum is infinite or NaN; what is divided by an infinite sum is finite and
        wrong
    """

    results_rh: Floats
    lost_r: NDArray[np.bool_]
    events: Events


def through_cores(
    unit: RowAttention,
    plan: CorePlan,
    queries: Sequence[int],
    q_qh: Floats,
    k_nh: Floats,
    v_nh: Floats,
    *,
    scale: float,
    biases: PairBiases | None = None,
) -> Computed:
    """Results of some queries, in the order in which they are given.

    Rows do not know each other: some of them are computed as all would be, in the same cores.

    Parameters
    ----------
    queries : which of the rows of Q, each once
    q_qh : (queries, H), not scaled

    Raises
    ------
    MappingError : a plan that no hardware could follow
    """
    rows = _Rows(unit, plan, np.asarray(queries, dtype=np.int64), v_nh.shape[1])
    scaled = unit.scaled(q_qh[rows.queries], scale)
    events = Events()
    for each in plan.passes:
        at, which = rows.in_pass(each)
        if len(at):
            key_rc, carried = held_keys(each, at, plan.cores), rows.carried(which, each.carries_in[at])
            bias_rc = None if biases is None else biases.of_cores(each.rows[at], key_rc)
            partial, found = unit.pass_rows(scaled[which], k_nh, v_nh, key_rc, carried, bias_rc=bias_rc)
            rows.take(which, partial, each.carries_out[at])
            events += found
    return rows.computed(events)


def held_keys(each: CorePass, at: Ints, cores: int) -> Ints:
    """(rows, cores) the key that each core holds, or `IDLE`, for the rows at some places of a pass, in their order.

    Raises
    ------
    MappingError : a core that holds two keys at once
    """
    held = each.residencies
    table = np.full((len(at), cores), IDLE, dtype=np.int64)
    begins, ends = np.searchsorted(at, held.first), np.searchsorted(at, held.last, side="right")
    for key, core, begin, end in zip(held.key.tolist(), held.core.tolist(), begins.tolist(), ends.tolist()):
        table[begin:end, core] = key
    if np.count_nonzero(table != IDLE) != int((ends - begins).sum()):
        raise MappingError("a plan of attention on cores has a core that holds two keys for one row")
    return table


class _Rows:
    """What is known of the chosen rows between passes."""

    def __init__(self, unit: RowAttention, plan: CorePlan, queries: Ints, size: int) -> None:
        self.unit, self.queries = unit, queries
        positions = queries + plan.keys - plan.queries
        self.order = np.argsort(positions)
        self.positions = positions[self.order]
        self.state = unit.nothing(len(queries), size)
        self.results = np.zeros((len(queries), size), dtype=unit.dtype)
        self.carrying = np.zeros(len(queries), dtype=np.bool_)
        self.done = np.zeros(len(queries), dtype=np.bool_)

    def in_pass(self, each: CorePass) -> tuple[Ints, Ints]:
        """Places in a pass that chosen rows have, in order, and which of the chosen each is."""
        found = np.searchsorted(self.positions, each.rows)
        found[found == len(self.positions)] = 0
        at = np.flatnonzero(self.positions[found] == each.rows) if len(self.positions) else np.zeros(0, np.int64)
        return at, self.order[found[at]] if len(at) else at

    def carried(self, which: Ints, carries_in: NDArray[np.bool_]) -> Partial:
        """What memory holds of rows, or nothing for those that begin."""
        wrong = (self.carrying[which] != carries_in) | self.done[which]
        if wrong.any():
            raise MappingError(f"a plan of attention on cores takes up query {self.queries[which[wrong]][0]} wrongly")
        return _rows_of(self.state, which)

    def take(self, which: Ints, partial: Partial, carries_out: NDArray[np.bool_]) -> None:
        """Carry rows on, or divide them."""
        state = self.state
        state.z_rh[which], state.sum_r[which] = partial.z_rh, partial.sum_r
        if state.maximum_r is not None:
            state.maximum_r[which] = partial.maximum_r
        self.results[which] = self.unit.divided(partial)
        self.carrying[which], self.done[which] = carries_out, ~carries_out

    def computed(self, events: Events) -> Computed:
        if not self.done.all():
            raise MappingError(f"a plan of attention on cores never ends query {self.queries[~self.done][0]}")
        lost = ~(np.isfinite(self.results).all(axis=1) & np.isfinite(self.state.sum_r))
        return Computed(results_rh=self.results, lost_r=lost, events=events)


def _rows_of(partial: Partial, which: Ints) -> Partial:
    maximum = None if partial.maximum_r is None else partial.maximum_r[which]
    return Partial(z_rh=partial.z_rh[which], sum_r=partial.sum_r[which], maximum_r=maximum)

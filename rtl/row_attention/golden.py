"""Golden model of row-wise attention: rows of Q over keys in cores, by the golden models of the blocks.

    scores   S = (scale Q) . K             one core a key, element after element; then + bias, if there is one
    maximum  M = max(S, M carried in)      only with a running maximum
    exps     E = exp(S), or exp(S - M)
    sum      l = sum of E over the cores   two levels, both one after the other
    vector   Z = sum of E V                two levels, beside the sum
    carried  Z + Z carried in, l + l carried in; with a running maximum these come times exp(M carried in - M)
    result   Z / l

A row that goes through the cores in several passes carries Z, l (and M) from pass to pass, undivided. What is carried
in is added last, onto the sum over the cores.

The paper has no maximum. What a running one takes beyond its form:

- stages MAX1 and MAX2 between QK and SV, of the cycles of ROWSUM1 and ROWSUM2: 3 x 64 + 3 and 3 x 8 + 3 as published. A
  row is two stages longer under way, and the interval stays that of QK;
- exp comes after MAX2, with a subtraction before it in each core, so that its latency moves from QK to SV;
- a carried row has one number more, M; one more exp and, beside the addition of what is carried, a product for each of
  its H + 1 numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.rtl.attention_core.golden import add_bias, exponential, scale_queries, score, shift, weigh
from hwsim.rtl.divide_out.golden import divide
from hwsim.rtl.float_values import Floats, convert, dtype_of, unit_arithmetic
from hwsim.rtl.row_attention.blocks import RowBlocks
from hwsim.rtl.row_attention.events import Events, count, overflowed
from hwsim.rtl.row_sum.golden import reduce_numbers
from hwsim.rtl.z_reduce.golden import reduce_vectors

Keys = NDArray[np.int64]

IDLE = -1  # the key of a core that computes nothing for a row
AT_ONCE = 1 << 19  # products made at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class Partial:
    """Rows that are not divided yet.

    Attributes
    ----------
    z_rh, sum_r : (rows, H) and (rows,) in `sum_fmt`
    maximum_r : (rows,) in `fmt`, which the exps were taken less; None without a running maximum
    """

    z_rh: Floats
    sum_r: Floats
    maximum_r: Floats | None


class RowAttention:
    """Rows through the cores. Arrays hold values in the numpy type of their format (`dtype_of`)."""

    def __init__(self, blocks: RowBlocks) -> None:
        self.blocks = blocks
        self.sum_dtype = dtype_of(blocks.row_sum.sum_fmt)
        self.dtype = dtype_of(blocks.core.fmt)

    def scaled(self, q_rh: Floats, scale: float) -> Floats:
        """Rows of Q as they come to the cores."""
        with unit_arithmetic():
            return scale_queries(self.blocks.core, q_rh, scale)

    def nothing(self, rows: int, size: int) -> Partial:
        """What rows that nothing is carried into start from."""
        maximum = np.full(rows, -np.inf, dtype=self.dtype) if self.blocks.row_max else None
        return Partial(
            z_rh=np.zeros((rows, size), self.sum_dtype), sum_r=np.zeros(rows, self.sum_dtype), maximum_r=maximum
        )

    def pass_rows(
        self,
        q_rh: Floats,
        k_nh: Floats,
        v_nh: Floats,
        key_rc: Keys,
        carried: Partial,
        *,
        bias_rc: Floats | None = None,
    ) -> tuple[Partial, Events]:
        """Take rows through the cores once.

        Parameters
        ----------
        q_rh : (rows, H), scaled
        k_nh, v_nh : (keys, H) and (keys, H of a value)
        key_rc : (rows, cores) the key that each core holds for each row, or `IDLE`
        carried : what earlier passes made of the same rows, or `nothing`
        bias_rc : (rows, cores) what is added to each score, if anything is
        """
        rows, step = len(q_rh), max(1, AT_ONCE // (key_rc.shape[1] * max(k_nh.shape[1], v_nh.shape[1])))
        k_hn, v_hn = np.ascontiguousarray(k_nh.T), np.ascontiguousarray(v_nh.T)
        parts, events = [], Events()
        with unit_arithmetic():
            for first in range(0, rows, step):
                few = slice(first, first + step)
                bias = None if bias_rc is None else bias_rc[few]
                part, found = self._few_rows(q_rh[few].T, k_hn, v_hn, key_rc[few], bias, _part_of(carried, few))
                parts.append(part)
                events += found
        return _joined(parts) if parts else carried, events

    def divided(self, partial: Partial) -> Floats:
        """(rows, H) results in `fmt`."""
        with unit_arithmetic():
            return divide(self.blocks.divide_out, partial.z_rh, partial.sum_r)

    def _few_rows(
        self, q_hr: Floats, k_hn: Floats, v_hn: Floats, key_rc: Keys, bias_rc: Floats | None, carried: Partial
    ) -> tuple[Partial, Events]:
        blocks, held = self.blocks, key_rc != IDLE
        key_rc = np.where(held, key_rc, 0)
        score_rc = score(blocks.core, q_hr, k_hn[:, key_rc])
        if bias_rc is not None:
            score_rc = add_bias(score_rc, bias_rc)
        shifted, maximum = self._shifted(score_rc, held, carried)
        exp_rc = np.where(held, exponential(blocks.core, shifted), self.dtype.type(0))
        v_hrc = v_hn[:, key_rc]
        product_hrc = np.where(held, weigh(exp_rc, v_hrc), self.dtype.type(0))
        sum_r, z_hr = reduce_numbers(blocks.row_sum, exp_rc), reduce_vectors(blocks.z_reduce, product_hrc)
        before = self._rescaled(carried, maximum)
        total = Partial(z_rh=before.z_rh + z_hr.T, sum_r=before.sum_r + sum_r, maximum_r=maximum)
        events = Events(
            scores=count(held),
            infinite_scores=count(held & ~np.isfinite(score_rc)),
            infinite_exps=overflowed(exp_rc, shifted),
            zero_exps=count(held & (exp_rc == 0) & np.isfinite(shifted)),
            infinite_products=overflowed(product_hrc, exp_rc, v_hrc),
            infinite_sums=_overflowed_sums(total, before, exp_rc, product_hrc),
        )
        return total, events

    def _shifted(self, score_rc: Floats, held: NDArray[np.bool_], carried: Partial) -> tuple[Floats, Floats | None]:
        """What exps are taken of, and the maximum that it lies below."""
        if self.blocks.row_max is None:
            return score_rc, None
        assert carried.maximum_r is not None
        known = np.where(held, score_rc, self.dtype.type(-np.inf))
        maximum = np.maximum(reduce_numbers(self.blocks.row_max, known), carried.maximum_r)
        return shift(score_rc, maximum), maximum

    def _rescaled(self, carried: Partial, maximum: Floats | None) -> Partial:
        """What was carried, with exps taken less the new maximum: one factor for Z and sum, in `fmt`."""
        if maximum is None:
            return carried
        assert carried.maximum_r is not None
        factor = exponential(self.blocks.core, carried.maximum_r - maximum)
        nothing = np.isneginf(carried.maximum_r)  # there is nothing to rescale, and less itself it would be NaN
        factor = convert(np.where(nothing, self.dtype.type(1), factor), self.blocks.row_sum.sum_fmt)
        return Partial(
            z_rh=carried.z_rh * factor[:, np.newaxis], sum_r=carried.sum_r * factor, maximum_r=carried.maximum_r
        )


def _overflowed_sums(total: Partial, before: Partial, exp_rc: Floats, product_hrc: Floats) -> int:
    """Sums that are not finite although all that was added is."""
    if np.isfinite(total.z_rh).all() and np.isfinite(total.sum_r).all():
        return 0
    terms_r, terms_rh = np.isfinite(exp_rc).all(axis=-1), np.isfinite(product_hrc).all(axis=-1).T
    of_rows = ~np.isfinite(total.sum_r) & np.isfinite(before.sum_r) & terms_r
    of_elements = ~np.isfinite(total.z_rh) & np.isfinite(before.z_rh) & terms_rh
    return count(of_rows) + count(of_elements)


def _part_of(partial: Partial, rows: slice) -> Partial:
    maximum = None if partial.maximum_r is None else partial.maximum_r[rows]
    return Partial(z_rh=partial.z_rh[rows], sum_r=partial.sum_r[rows], maximum_r=maximum)


def _joined(parts: list[Partial]) -> Partial:
    maxima = [part.maximum_r for part in parts if part.maximum_r is not None]
    return Partial(
        z_rh=np.concatenate([part.z_rh for part in parts]),
        sum_r=np.concatenate([part.sum_r for part in parts]),
        maximum_r=np.concatenate(maxima) if maxima else None,
    )

"""Golden model of the multiply-accumulate tile, bit-exact with `component.MacTile`."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.mac_tile.contract import MacTileContract
from hwsim.rtl.ports import Codes, Streams


def mac_tile(c: MacTileContract, x: Codes, w: Codes, bias: Codes) -> Codes:
    """One sum.

    Parameters
    ----------
    x : (beats, in_lanes) codes of `c.activation`
    w : (beats, out_lanes, in_lanes) codes of `c.weight`
    bias : (out_lanes,) codes of `c.bias`

    Returns
    -------
    (out_lanes,) codes of `c.accumulator`
    """
    total = recode(bias, c.bias.fraction, c.accumulator)
    for x_i, w_oi in zip(x, w):
        products = recode(w_oi * x_i, c.activation.fraction + c.weight.fraction, c.accumulator)
        for lane in range(c.in_lanes):
            total = recode(total + products[:, lane], c.accumulator.fraction, c.accumulator)
    return total


def run(c: MacTileContract, inputs: Streams) -> Streams:
    """The sums for `inputs`; beats after the last `last` give none."""
    x, w = inputs["x"]["values"], inputs["w"]["values"].reshape(-1, c.out_lanes, c.in_lanes)
    ends = np.flatnonzero(inputs["x"]["last"]) + 1
    starts = np.concatenate(([0], ends[:-1]))
    sums = [mac_tile(c, x[a:b], w[a:b], bias) for a, b, bias in zip(starts, ends, inputs["bias"]["values"])]
    return {"y": {"values": np.array(sums, dtype=np.int64).reshape(-1, c.out_lanes)}}

"""Golden model of layer norm, bit-exact with `component.LayerNorm`."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.ports import Codes, Streams


def statistics(c: LayerNormContract, x: Codes) -> tuple[Codes, Codes]:
    """Mean and variance of each token.

    Parameters
    ----------
    x : (tokens, features) codes of `c.activation`

    Returns
    -------
    mean : (tokens,) codes of `c.accumulator`
    variance : (tokens,) codes of `c.rsqrt.argument`
    """
    acc = c.accumulator
    terms = recode(x * c.divisor, c.activation.fraction + c.divisor_fraction, acc)
    squares = recode(x * terms, c.activation.fraction + acc.fraction, acc)
    mean = recode(terms.sum(axis=1), acc.fraction, acc)  # sums wrap: wrapping once at the end gives the same result
    of_squares = recode(squares.sum(axis=1), acc.fraction, acc)
    variance = of_squares - recode(mean * mean, 2 * acc.fraction, acc) + c.epsilon
    return mean, np.maximum(recode(variance, acc.fraction, acc), 0)


def layernorm(c: LayerNormContract, x: Codes, weight: Codes, bias: Codes) -> Codes:
    """Normalise tokens.

    Parameters
    ----------
    x : (tokens, features) codes of `c.activation`
    weight, bias : (features,) codes of `c.weight` and `c.bias`

    Returns
    -------
    (tokens, features) codes of `c.activation`
    """
    acc, common = c.accumulator, max(c.accumulator.fraction, c.activation.fraction)
    mean, variance = statistics(c, x)
    root = inverse_root(c.rsqrt, variance)[:, None]
    aligned = (x << (common - c.activation.fraction)) - (mean[:, None] << (common - acc.fraction))
    centred = recode(aligned, common, acc)
    normal = recode(centred * root, acc.fraction + c.root.fraction, acc)
    scaled = recode(normal * weight, acc.fraction + c.weight.fraction, acc)
    shifted = recode(scaled + recode(bias, c.bias.fraction, acc), acc.fraction, acc)
    return recode(shifted, acc.fraction, c.activation)


def run(c: LayerNormContract, inputs: Streams) -> Streams:
    """The tokens of `x`, sequence by sequence with the next weights and biases of `norm`."""
    x = inputs["x"]["values"].reshape(-1, c.features)
    weights = inputs["norm"]["weight"].reshape(-1, c.features)
    biases = inputs["norm"]["bias"].reshape(-1, c.features)
    ends = np.flatnonzero(inputs["x"]["last"][c.beats - 1 :: c.beats]) + 1
    starts = np.concatenate(([0], ends[:-1]))
    y = [layernorm(c, x[a:b], w, s) for a, b, w, s in zip(starts, ends, weights, biases)]
    return {"y": {"values": np.concatenate([np.zeros((0, c.features), dtype=np.int64), *y]).reshape(-1, c.lanes)}}

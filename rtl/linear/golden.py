"""Golden model of the unified linear unit, bit-exact with `component.Linear`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.gelu_delta.golden import gelu
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.ports import Codes, Streams


def linear(c: LinearContract, x: Codes, w: Codes, bias: Codes) -> Codes:
    """The sums of some tokens.

    Parameters
    ----------
    x : (tokens, in features) codes of `c.activation`
    w : (out features, in features) codes of `c.weight`
    bias : (out features,) codes of `c.bias`

    Returns
    -------
    (tokens, out features) codes of `c.accumulator`
    """
    total = np.tile(recode(bias, c.bias.fraction, c.accumulator), (len(x), 1))
    for x_t, w_o in zip(x.T, w.T):  # in feature by in feature
        products = recode(x_t[:, None] * w_o, c.activation.fraction + c.weight.fraction, c.accumulator)
        total = recode(total + products, c.accumulator.fraction, c.accumulator)
    return total


def add_scored(c: LinearContract, dst: Codes, y: Codes, score: Codes) -> Codes:
    """`dst + score * y`; the product is floored before it is added; (tokens, features) and (tokens,) codes."""
    products = recode(score[:, None] * y, c.score.fraction + c.accumulator.fraction, c.accumulator)
    return recode(dst + products, c.accumulator.fraction, c.accumulator)


def run(c: LinearContract, inputs: Streams) -> Streams:
    """Run command by command, each with its part of the streams."""
    take = _Taker(inputs)
    fetched: list[Codes] = [np.zeros(0, dtype=np.int64)]
    values = [np.zeros((0, c.out_lanes), dtype=np.int64)]
    tiles: list[Codes] = [np.zeros(0, dtype=np.int64)]
    for command in _commands(inputs["command"]):
        tokens, ins, outs = command["tokens"], command["in_tiles"], command["out_tiles"]
        rows = take("w", ins * outs * c.out_lanes).reshape(outs, ins, c.out_lanes, c.in_lanes)
        w = rows.transpose(0, 2, 1, 3).reshape(outs * c.out_lanes, ins * c.in_lanes)
        bias = take("bias", outs).reshape(-1)
        x = take("x", tokens * ins).reshape(tokens, ins * c.in_lanes)
        y = linear(c, x, w, bias)
        if command["use_gelu"]:
            y = gelu(c.gelu, y)
        if command["use_score"]:
            y = add_scored(c, take("dst", tokens * outs).reshape(y.shape), y, take("score", tokens))
        fetched.append(take("index", tokens) if command["use_expert"] else np.arange(tokens, dtype=np.int64))
        values.append(y.reshape(tokens * outs, c.out_lanes))
        tiles.append(np.tile(np.arange(outs, dtype=np.int64), tokens))
    numbers = [np.repeat(n, len(v) // max(len(n), 1)) for n, v in zip(fetched, values)]
    return {
        "fetch": {"token": np.concatenate(fetched)},
        "y": {"values": np.concatenate(values), "token": np.concatenate(numbers), "tile": np.concatenate(tiles)},
    }


def _commands(beats: Mapping[str, Codes]) -> Iterator[dict[str, int]]:
    for row in zip(*(codes.tolist() for codes in beats.values())):
        yield dict(zip(beats, row))


class _Taker:
    """Takes beats from the streams, each stream in order."""

    def __init__(self, inputs: Streams) -> None:
        self.inputs = inputs
        self.taken = dict.fromkeys(inputs, 0)

    def __call__(self, name: str, count: int) -> Codes:
        """The next `count` beats' first field."""
        codes = next(iter(self.inputs[name].values()))[self.taken[name] :][:count]
        self.taken[name] += count
        return codes

"""Golden model of the weight loader, bit-exact with `component.WeightLoader`."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.weight_loader.contract import WeightLoaderContract


def unpack(
    c: WeightLoaderContract, memory: Codes, in_tiles: int, out_tiles: int, attention: bool
) -> tuple[Codes, Codes]:
    """A group as it lies in the banks.

    Parameters
    ----------
    memory : (beats, beat_numbers) codes, the group's beats first
    in_tiles, out_tiles : features in and out, in tiles
    attention : the biases have the format of attention's

    Returns
    -------
    weights : (in_tiles * out_tiles, in_lanes * out_lanes) codes as they came
    biases : (out_tiles, out_lanes) codes of `c.bias`
    """
    words, tile = in_tiles * out_tiles, c.in_lanes * c.out_lanes
    weights, rest = memory[: words * c.word_beats], memory[words * c.word_beats :][: out_tiles * c.bias_beats]
    fraction = c.number_bits - (c.attention_bias_integer if attention else c.bias_integer)
    biases = rest.reshape(out_tiles, c.bias_beats * c.beat_numbers)[:, : c.out_lanes]
    return weights.reshape(words, tile), recode(biases, fraction, c.bias)


def run(c: WeightLoaderContract, inputs: Streams) -> Streams:
    """The words that `read` asks for, group by group."""
    memory, read = inputs["memory"]["numbers"], inputs["read"]
    ends = np.flatnonzero(read["last"]) + 1
    starts = np.concatenate(([0], ends[:-1]))
    weights = [np.zeros((0, c.in_lanes * c.out_lanes), dtype=np.int64)]
    biases = [np.zeros((0, c.out_lanes), dtype=np.int64)]
    for a, b, *size in zip(starts, ends, *(inputs["command"][n] for n in ("in_tiles", "out_tiles", "attention"))):
        in_tiles, out_tiles, attention = map(int, size)
        bank = unpack(c, memory, in_tiles, out_tiles, bool(attention))
        memory = memory[in_tiles * out_tiles * c.word_beats + out_tiles * c.bias_beats :]
        weights.append(bank[0][read["word"][a:b]])
        biases.append(bank[1][read["tile"][a:b]])
    return {"word": {"weights": np.concatenate(weights), "bias": np.concatenate(biases)}}

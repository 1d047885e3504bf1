"""Golden model of the patch embedding, bit-exact with `component.PatchEmbed`."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.formats import recode
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.ports import Codes, Streams


def patches(c: PatchEmbedContract, image: Codes) -> Codes:
    """An image cut into patches.

    Parameters
    ----------
    image : (channels, rows, stripe_patches * patch) codes; rows is a multiple of `patch`

    Returns
    -------
    (tokens, pixels of a patch) codes, tokens row by row; a patch's pixels by channel > row > column
    """
    return _cut(c, image.reshape(c.channels, image.shape[1] // c.patch, c.patch, image.shape[2]).swapaxes(0, 1))


def embed(c: PatchEmbedContract, x: Codes, w: Codes, bias: Codes, position: Codes) -> Codes:
    """The tokens of some patches.

    Parameters
    ----------
    x : (tokens, pixels of a patch) codes of `c.pixel`
    w : (features, pixels of a patch) codes of `c.weight`
    bias : (features,) codes of `c.bias`
    position : (tokens, features) codes of `c.position`

    Returns
    -------
    (tokens, features) codes of `c.accumulator`
    """
    acc = c.accumulator
    total = np.tile(recode(bias, c.bias.fraction, acc), (len(x), 1))
    for x_t, w_f in zip(x.T, w.T):  # pixel by pixel
        products = recode(x_t[:, None] * w_f, c.pixel.fraction + c.weight.fraction, acc)
        total = recode(total + products, acc.fraction, acc)
    return add_position(c, total, position)


def add_position(c: PatchEmbedContract, total: Codes, position: Codes) -> Codes:
    """Codes of `c.accumulator` and of `c.position`, of equal shape, as sums of `c.accumulator`."""
    acc = c.accumulator
    return recode(total + recode(position, c.position.fraction, acc), acc.fraction, acc)


def run(c: PatchEmbedContract, inputs: Streams) -> Streams:
    """Run command by command, each with its part of the streams."""
    w, bias, pixels, position = (inputs[name]["values"] for name in ("w", "bias", "pixels", "position"))
    loaded_w = np.zeros((c.features, c.channels * c.patch * c.patch), dtype=np.int64)
    loaded_bias = np.zeros(c.features, dtype=np.int64)
    position, y = position.reshape(-1, c.features), [np.zeros((0, c.features), dtype=np.int64)]
    for stripes, load, class_token in zip(*(inputs["command"][n].tolist() for n in ("stripes", "load", "class_token"))):
        if load:
            loaded_w, w = w[: c.weight_beats].reshape(loaded_w.shape), w[c.weight_beats :]
            loaded_bias, bias = bias[: c.out_tiles].reshape(-1), bias[c.out_tiles :]
        if class_token:
            y.append(add_position(c, np.zeros((1, c.features), dtype=np.int64), position[:1]))
            position = position[1:]
        beats, pixels = pixels[: stripes * c.stripe_beats], pixels[stripes * c.stripe_beats :]
        x = _cut(c, beats.reshape(stripes, c.channels, c.patch, c.stripe_patches * c.patch))
        y.append(embed(c, x, loaded_w, loaded_bias, position[: len(x)]))
        position = position[len(x) :]
    return {"y": {"values": np.concatenate(y).reshape(-1, c.beat_values)}}


def _cut(c: PatchEmbedContract, stripes: Codes) -> Codes:
    """Stripes, (stripes, channels, patch, columns), as (tokens, pixels of a patch)."""
    cut = stripes.reshape(*stripes.shape[:3], c.stripe_patches, c.patch)
    return cut.transpose(0, 3, 1, 2, 4).reshape(len(stripes) * c.stripe_patches, c.channels * c.patch * c.patch)

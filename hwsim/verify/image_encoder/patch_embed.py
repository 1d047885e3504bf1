"""The embedding of patches in fixed point, over the whole image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.mapping.formats import Fixed, recode
from hwsim.rtl.ports import Codes
from hwsim.verify.image_encoder.floored_sums import floored_sums


@dataclass(frozen=True, kw_only=True)
class PatchFormats:
    """Formats of Edge-MoE's patch embedding."""

    pixel: Fixed = Fixed(width=8, integer=0, signed=False)
    weight: Fixed = Fixed(width=16, integer=0)
    bias: Fixed = Fixed(width=16, integer=5)
    accumulator: Fixed = Fixed(width=32, integer=10)


def patch_embed(f: PatchFormats, patches: Codes, w: Codes, bias: Codes, positions: Codes) -> Codes:
    """`W patch + bias + position` of each patch; the bias is first, each product is floored, the position is last.

    Parameters
    ----------
    patches : (patches, pixels) codes of `f.pixel`
    w : (features, pixels) codes of `f.weight`
    bias : (features,) codes of `f.bias`
    positions : (patches, features) codes of `f.accumulator`

    Returns
    -------
    (patches, features) codes of `f.accumulator`
    """
    start = recode(bias, f.bias.fraction, f.accumulator)
    sums = floored_sums(patches, w, f.pixel.fraction + f.weight.fraction - f.accumulator.fraction)
    total = recode(start + sums, f.accumulator.fraction, f.accumulator)
    return recode(total + positions, f.accumulator.fraction, f.accumulator)


def cut_patches(image: Codes, side: int) -> Codes:
    """(patches, channels x side x side) of a (channels, height, width) image, patch by patch along its rows."""
    channels, height, width = image.shape
    rows, columns = height // side, width // side
    tiles = image.reshape(channels, rows, side, columns, side).transpose(1, 3, 0, 2, 4)
    return np.ascontiguousarray(tiles.reshape(rows * columns, -1))

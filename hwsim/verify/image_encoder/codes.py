"""A model's tensors as a machine's memory holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.formats import Fixed, recode
from hwsim.rtl.ports import Codes
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_weights import ImageWeights, Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Matrix:
    """Weights (outputs, inputs), codes of `linear.weight`; biases (outputs,), codes of `linear.bias`."""

    weight: Codes
    bias: Codes

    def rows(self, first: int, last: int) -> Matrix:
        """Some of its outputs."""
        return Matrix(weight=self.weight[first:last], bias=self.bias[first:last])


@dataclass(frozen=True, kw_only=True, eq=False)
class EncoderCodes:
    """All tensors by name, codes of `stored_format`."""

    blocks: EncoderBlocks
    tensors: Mapping[str, NDArray[np.int32]]

    def __getitem__(self, name: str) -> Codes:
        return self.tensors[name].astype(np.int64)

    def matrix(self, name: str, expert: int | None = None) -> Matrix:
        """A matrix with its biases, which are 0 where the model has none; of an expert where one is given."""
        weight = self._part(f"{name}_weight", expert)
        bias = np.zeros(len(weight), dtype=np.int64)
        if f"{name}_bias" in self.tensors:
            stored = stored_format(f"{name}_bias", self.blocks)
            bias = recode(self._part(f"{name}_bias", expert), stored.fraction, self.blocks.linear.bias)
        return Matrix(weight=weight, bias=bias)

    def _part(self, name: str, expert: int | None) -> Codes:
        tensor = self.tensors[name]
        return (tensor if expert is None else tensor[expert]).astype(np.int64)


def quantise(weights: ImageWeights, blocks: EncoderBlocks) -> EncoderCodes:
    """Tensors as codes; by floor, and what exceeds a format wraps, in Edge-MoE's formats."""
    codes = {
        name: stored_format(name, blocks).quantise(tensor).astype(np.int32) for name, tensor in weights.tensors.items()
    }
    return EncoderCodes(blocks=blocks, tensors=codes)


def held(weights: ImageWeights, codes: EncoderCodes) -> ImageWeights:
    """The same tensors with the values that memory holds."""

    def value(name: str, _: Tensor) -> Tensor:
        fmt = stored_format(name, codes.blocks)
        return (codes.tensors[name] * fmt.resolution).astype(np.float32)

    return weights.changed(value)


def stored_format(name: str, blocks: EncoderBlocks) -> Fixed:
    """The format in which memory holds a tensor."""
    patch, norm, activation = blocks.patch_embed, blocks.layernorm, blocks.activation
    known = {
        "image": patch.pixel, "patch_embed_weight": patch.weight, "patch_embed_bias": patch.bias,
        "pos_embed": patch.position, "task_embed": activation, "norm_weight": norm.weight, "norm_bias": norm.bias,
    }  # fmt: skip
    if name in known:
        return known[name]
    _, _, part = name.partition("_")  # without its layer
    match part.split("_"):
        case ["norm1" | "norm2", "weight"]:
            return norm.weight
        case ["norm1" | "norm2", "bias"]:
            return norm.bias
        case ["w", "gate", *_] if blocks.topk_gate is not None:
            return blocks.topk_gate.weight
        case ["qkv", "bias"] | ["attn", "proj", "bias"]:
            return blocks.attention_bias
        case [_, "bias"]:
            return blocks.bias
        case _:
            return blocks.linear.weight

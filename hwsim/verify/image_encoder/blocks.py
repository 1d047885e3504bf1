"""The blocks that an encoder of images is computed by, and the formats in which its memory holds tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import gcd, sqrt
from typing import Any, Self

from hwsim.errors import MachineError, MappingError
from hwsim.mapping.formats import Fixed
from hwsim.mapping.models.moe_vit import MoeVitModel
from hwsim.rtl.contract import Contract
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.residual_add.contract import ResidualAddContract
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.rtl.weight_loader.contract import WeightLoaderContract
from hwsim.verify.image_tensors import ImageModel

CHANNELS = 8  # values in a beat of Edge-MoE's, where the model's sizes allow it


@dataclass(frozen=True, kw_only=True)
class EncoderBlocks:
    """A machine's blocks, by whose contracts the golden encoder computes.

    All activations between blocks are in one format.

    Attributes
    ----------
    topk_gate : None on a machine that runs no experts

    Raises
    ------
    MachineError : blocks that hand each other numbers in different formats
    """

    patch_embed: PatchEmbedContract
    layernorm: LayerNormContract
    weight_loader: WeightLoaderContract
    linear: LinearContract
    qk_reorder: QkReorderContract
    online_softmax: OnlineSoftmaxContract
    mv: MvContract
    topk_gate: TopkGateContract | None
    residual_add: ResidualAddContract

    def __post_init__(self) -> None:
        for place, fmt in self._activations():
            if fmt != self.activation:
                raise MachineError(
                    f"{place} {fmt}: blocks hand each other activations in one format, linear's is {self.activation}"
                )
        if self.weight_loader.bias != self.linear.bias:
            raise MachineError(
                f"weight_loader.bias {self.weight_loader.bias}: linear takes biases in {self.linear.bias}"
            )
        softmax, mv = self.online_softmax, self.mv
        for name, given, taken in (
            ("inverse", softmax.inverse, mv.inverse),
            ("slots", softmax.slots, mv.slots),
            ("slots", softmax.slots, self.qk_reorder.slots),
        ):
            if given != taken:
                raise MachineError(f"online_softmax.{name} {given}: the blocks beside it have {taken}")

    @classmethod
    def sized(cls, model: ImageModel, *, preset: str) -> Self:
        """The blocks of a preset, in Edge-MoE's formats, for a model's sizes."""
        tokens, heads, size = model.tokens, model.heads, model.head_size
        beat = gcd(size, CHANNELS)
        attention = {"heads": heads, "head_dim": size, "channels": beat, "max_tokens": tokens}
        total = _sums_of(tokens, OnlineSoftmaxContract.from_preset(preset).total)
        scale = QkReorderContract.scale
        return cls(
            patch_embed=_patch_embed(model, preset),
            layernorm=LayerNormContract.from_preset(preset, features=model.d_model, lanes=gcd(model.d_model, CHANNELS)),
            weight_loader=WeightLoaderContract.from_preset(preset),
            linear=LinearContract.from_preset(preset, max_tokens=tokens),
            qk_reorder=QkReorderContract.from_preset(
                preset, **attention, scale_code=round(2**scale.fraction / sqrt(size))
            ),
            online_softmax=OnlineSoftmaxContract.from_preset(preset, heads=heads, max_tokens=tokens, total=total),
            mv=MvContract.from_preset(preset, **attention, exp_units=-(-MvContract.slots * beat // size)),
            topk_gate=_gate(model, preset) if isinstance(model, MoeVitModel) else None,
            residual_add=ResidualAddContract.from_preset(preset),
        )

    @property
    def activation(self) -> Fixed:
        """Format of all values between blocks."""
        return self.linear.activation

    @property
    def attention_bias(self) -> Fixed:
        """Format in which memory holds the biases of attention's matrices."""
        return self._bias(self.weight_loader.attention_bias_integer)

    @property
    def bias(self) -> Fixed:
        """Format in which memory holds the biases of other matrices."""
        return self._bias(self.weight_loader.bias_integer)

    def contracts(self) -> Iterator[Contract]:
        """The blocks' contracts, in the order in which numbers pass them."""
        for block in vars(self).values():
            if isinstance(block, Contract):
                yield block

    def check(self, model: ImageModel) -> None:
        """Check that the blocks have a model's sizes and functions.

        Raises
        ------
        MappingError : they do not
        """
        tokens, heads, size = model.tokens, model.heads, model.head_size
        wanted: list[tuple[str, Any, Any]] = [("layernorm.features", self.layernorm.features, model.d_model)]
        for c in (self.qk_reorder, self.mv):
            wanted += [(f"{c.block}.heads", c.heads, heads), (f"{c.block}.head_dim", c.head_dim, size)]
        wanted.append(("online_softmax.heads", self.online_softmax.heads, heads))
        if isinstance(model, MoeVitModel):
            gate = self.topk_gate
            if gate is None:
                raise MappingError(f"{model.name}: has experts, and the machine no gate")
            wanted += [
                ("topk_gate.experts", gate.experts, model.experts),
                ("topk_gate.inputs", gate.inputs, model.gate_width),
                ("topk_gate.top", gate.top, model.top_k),
            ]
        for name, has, needs in wanted:
            if has != needs:
                raise MappingError(f"{model.name}: {name} is {has}, the model needs {needs}")
        for block in (self.qk_reorder, self.online_softmax, self.mv):
            if block.max_tokens < tokens:
                raise MappingError(
                    f"{model.name}: {block.block} takes {block.max_tokens} tokens, an image has {tokens}"
                )
        scale = self.qk_reorder.scale_code * self.qk_reorder.scale.resolution
        if abs(scale - 1 / sqrt(size)) >= self.qk_reorder.scale.resolution:
            raise MappingError(f"{model.name}: qk_reorder scales by {scale:g}, heads of {size} by {1 / sqrt(size):g}")
        if model.activation != "gelu_erf":
            raise MappingError(f"{model.name}: activation {model.activation}: linear has gelu_erf alone")

    def _activations(self) -> Iterator[tuple[str, Fixed]]:
        """Where activations meet a block, and their format there."""
        yield "patch_embed.accumulator", self.patch_embed.accumulator
        yield "patch_embed.position", self.patch_embed.position
        yield "linear.accumulator", self.linear.accumulator
        for block in (self.layernorm, self.qk_reorder, self.online_softmax, self.mv):
            yield f"{block.block}.activation", block.activation
        if self.topk_gate is not None:
            yield "topk_gate.activation", self.topk_gate.activation
            yield "topk_gate.score", self.topk_gate.score
        yield "residual_add.activation", self.residual_add.activation
        yield "residual_add.branch", self.residual_add.branch

    def _bias(self, integer: int) -> Fixed:
        return Fixed(width=self.weight_loader.number_bits, integer=integer)


def _patch_embed(model: ImageModel, preset: str) -> PatchEmbedContract:
    """For patches in whole beats, where there are any; one number a beat otherwise."""
    across, down = model.image_width // model.patch, model.image_height // model.patch
    lanes = gcd(model.d_model, PatchEmbedContract.out_lanes)
    return PatchEmbedContract.from_preset(
        preset, channels=model.channels, patch=model.patch, stripe_patches=across, features=model.d_model,
        max_stripes=down, in_lanes=gcd(model.patch, PatchEmbedContract.in_lanes), out_lanes=lanes,
        beat_pixels=model.patch * gcd(across, 2), beat_values=gcd(lanes, CHANNELS),
    )  # fmt: skip


def _gate(model: MoeVitModel, preset: str) -> TopkGateContract:
    width, experts = model.gate_width, model.experts
    return TopkGateContract.from_preset(
        preset, experts=experts, inputs=width, lanes=gcd(width, CHANNELS), top=model.top_k, max_tokens=model.tokens,
        total=_sums_of(experts, TopkGateContract.from_preset(preset).total),
    )  # fmt: skip


def _sums_of(count: int, usual: Fixed) -> Fixed:
    """Format of a sum of so many exponentials: the usual one, with more bits before the point if they need them."""
    integer = max(usual.integer, count.bit_length() + usual.signed)
    return replace(usual, width=usual.fraction + integer, integer=integer)

"""The units of Edge-MoE as contracts, for the sizes of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt
from typing import Any, TypeVar

from hwsim.errors import MachineError
from hwsim.machines.edge_moe.sizes import Sizes
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.machines.edge_moe.target import target_of
from hwsim.mapping.formats import Fixed
from hwsim.mapping.fpga import FpgaTarget, LinearShape
from hwsim.rtl.contract import Contract, ContractError
from hwsim.rtl.fill.contract import FillContract
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.norm_loader.contract import NormLoaderContract
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.plain.linear import (
    LinearExactContract,
    LinearSingleContract,
    LinearSingleExactContract,
    WeightLoaderSingleContract,
)
from hwsim.rtl.plain.mv import MvBlocksContract, MvWeightsBlocksContract, MvWeightsContract
from hwsim.rtl.plain.qk import QkBlocksContract
from hwsim.rtl.plain.softmax import OnlineSoftmaxBlocksContract, SoftmaxPassesBlocksContract, SoftmaxPassesContract
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.residual_add.contract import ResidualAddContract
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.rtl.weight_loader.contract import WeightLoaderContract

C = TypeVar("C", bound=Contract)


@dataclass(frozen=True, kw_only=True)
class Design:
    """Each unit's contract, from the preset that `blocks` names; depths are without the latency of memory.

    Raises
    ------
    MachineError : a size, a tile or a format that no unit can have; says which parameter of which block
    """

    spec: EdgeMoeSpec
    sizes: Sizes

    def check(self) -> None:
        """Make every contract."""
        for name in ("patch_embed", "layernorm", "norm_loader", "loaders", "linears", "qk", "softmax", "mv"):
            _ = getattr(self, name)
        _ = self.gate, self.residual_add, self.fill

    @cached_property
    def patch_embed(self) -> PatchEmbedContract:
        sizes, spec, fmt = self.sizes, self.spec, self.spec.formats.fixed
        return self._made(
            PatchEmbedContract,
            channels=sizes.pixel_channels,
            patch=sizes.patch,
            stripe_patches=sizes.patch_columns,
            features=self.padded(sizes.features),
            max_stripes=sizes.patch_rows,
            in_lanes=spec.linear.in_lanes,
            out_lanes=spec.linear.out_lanes,
            beat_pixels=spec.axi.width_bits // fmt("pixel").width,
            beat_values=self.lanes,
            pixel=fmt("pixel"),
            weight=fmt("patch_weight"),
            bias=fmt("bias"),
            position=fmt("activation"),
            accumulator=fmt("activation"),
        )

    @cached_property
    def layernorm(self) -> LayerNormContract:
        fmt = self.spec.formats.fixed
        return self._made(
            LayerNormContract,
            features=self.sizes.features,
            lanes=self.lanes,
            activation=fmt("activation"),
            weight=fmt("bias"),
            bias=fmt("bias"),
            accumulator=fmt("activation"),
        )

    @cached_property
    def norm_loader(self) -> NormLoaderContract:
        """The source takes a row of the norm unit at a time, our RTL whole beats."""
        return self._made(
            NormLoaderContract,
            features=self.sizes.features,
            lanes=self.lanes,
            beat_numbers=self.lanes if self.spec.blocks == "published" else self.beat_weights,
            number_bits=self.spec.formats.fixed("bias").width,
        )

    @cached_property
    def linears(self) -> Mapping[str, LinearContract]:
        """The linear units by name: one, or one for each type of layer."""
        return {shape.unit: self._linear(shape) for shape in self.target.shapes}

    @cached_property
    def loaders(self) -> Mapping[str, WeightLoaderContract]:
        """The loaders of their weights by name."""
        return {shape.loader: self._loader(shape) for shape in self.target.shapes}

    @cached_property
    def qk(self) -> QkReorderContract:
        kind = QkBlocksContract if self._in_blocks else QkReorderContract
        scale = QkReorderContract.from_preset(self.spec.blocks).scale
        scale_code = round(2**scale.fraction / sqrt(self.sizes.head_dim))
        return self._made(kind, scale_code=scale_code, **self._attention)

    @cached_property
    def softmax(self) -> OnlineSoftmaxContract:
        kinds = (
            (OnlineSoftmaxContract, OnlineSoftmaxBlocksContract)
            if self.single_pass
            else (SoftmaxPassesContract, SoftmaxPassesBlocksContract)
        )
        return self._made(
            kinds[self._in_blocks],
            heads=self.sizes.heads,
            slots=self.spec.attention.slots,
            max_tokens=self.sizes.tokens,
            activation=self.spec.formats.fixed("activation"),
            **self._sums,
        )

    @property
    def _sums(self) -> dict[str, Fixed]:
        """The format of sums of exponentials where the preset's does not hold those of all tokens."""
        total = OnlineSoftmaxContract.from_preset(self.spec.blocks).total
        integer = self.sizes.tokens.bit_length() + total.signed
        if integer <= total.integer:
            return {}
        return {"total": replace(total, width=total.fraction + integer, integer=integer)}

    @cached_property
    def mv(self) -> MvContract:
        """As many exponentials a cycle as all slots need within the cycles of a head."""
        beats = max(1, self.sizes.head_dim // self.spec.attention.channels)
        kinds = (MvContract, MvBlocksContract) if self.single_pass else (MvWeightsContract, MvWeightsBlocksContract)
        units = -(-self.spec.attention.slots // beats)
        return self._made(kinds[self._in_blocks], exp_units=units, **self._attention)

    @cached_property
    def gate(self) -> TopkGateContract | None:
        """None for a model without experts."""
        fmt, sizes = self.spec.formats.fixed, self.sizes
        if not sizes.experts:
            return None
        return self._made(
            TopkGateContract,
            experts=sizes.experts,
            lanes=self.lanes,
            inputs=sizes.features,
            top=sizes.top_k,
            max_tokens=sizes.tokens,
            activation=fmt("activation"),
            weight=fmt("weight"),
            accumulator=fmt("activation"),
            score=fmt("activation"),
        )

    @cached_property
    def residual_add(self) -> ResidualAddContract:
        activation = self.spec.formats.fixed("activation")
        return self._made(ResidualAddContract, lanes=self.lanes, activation=activation, branch=activation)

    @cached_property
    def fill(self) -> FillContract:
        bits = self.spec.formats.fixed("activation").width
        beats = self.sizes.tokens * self.padded(self.sizes.features) // self.lanes
        return self._made(FillContract, lanes=self.lanes, number_bits=bits, max_beats=beats)

    @property
    def single_pass(self) -> bool:
        """Whether the softmax goes with the scores, and probabilities are made where values are weighted."""
        return self.spec.techniques.single_pass_softmax == "on"

    @property
    def queries(self) -> int:
        """Queries of an image, with those that fill up the last slots where all slots get their queries together."""
        tokens, slots = self.sizes.tokens, self.spec.attention.slots
        return -(-tokens // slots) * slots if self._in_blocks else tokens

    @property
    def _in_blocks(self) -> bool:
        return self.spec.techniques.attention_reordering == "off"

    @property
    def lanes(self) -> int:
        """Activations of a beat."""
        return self.spec.axi.width_bits // self.spec.formats.fixed("activation").width

    @property
    def score_beats(self) -> int:
        """Beats in memory of a row of scores: for each slot its heads, filled up to a power of two."""
        words = self.spec.attention.slots * (1 << (self.sizes.heads - 1).bit_length())
        return -(-words // self.lanes)

    @property
    def info_beats(self) -> int:
        """Beats in memory of a query's inverse sums and maxima."""
        return -(-2 * self.sizes.heads // self.lanes)

    @property
    def beat_weights(self) -> int:
        """Weights of a beat."""
        return self.spec.axi.width_bits // self.spec.formats.fixed("weight").width

    @cached_property
    def target(self) -> FpgaTarget:
        """What the compiler maps to."""
        return target_of(self.spec, self.sizes)

    def padded(self, width: int) -> int:
        """Numbers of a row in memory, as the mapping pads it."""
        return self.target.padded(width)

    def _linear(self, shape: LinearShape) -> LinearContract:
        fmt, techniques = self.spec.formats.fixed, self.spec.techniques
        exact, single = techniques.gelu_approximation == "off", shape.banks == 1
        kinds = ((LinearContract, LinearExactContract), (LinearSingleContract, LinearSingleExactContract))
        return self._made(
            kinds[single][exact],
            in_lanes=shape.in_lanes,
            out_lanes=shape.out_lanes,
            max_tokens=self.sizes.tokens,
            max_in_tiles=shape.input_tiles,
            max_out_tiles=shape.bias_words,
            weight_words=shape.weight_words,
            in_fifo=self.spec.linear.in_fifo,
            index_fifo=self.spec.linear.index_fifo,
            out_fifo=self.spec.linear.out_fifo,
            activation=fmt("activation"),
            weight=fmt("weight"),
            bias=fmt("chip_bias"),
            accumulator=fmt("activation"),
            score=fmt("activation"),
        )

    def _loader(self, shape: LinearShape) -> WeightLoaderContract:
        fmt = self.spec.formats.fixed
        return self._made(
            WeightLoaderSingleContract if shape.banks == 1 else WeightLoaderContract,
            in_lanes=shape.in_lanes,
            out_lanes=shape.out_lanes,
            beat_numbers=self.beat_weights,
            number_bits=fmt("weight").width,
            weight_words=shape.weight_words,
            bias_words=shape.bias_words,
            bias_integer=fmt("bias").integer,
            attention_bias_integer=fmt("attention_bias").integer,
            bias=fmt("chip_bias"),
        )

    @property
    def _attention(self) -> dict[str, Any]:
        activation = self.spec.formats.fixed("activation")
        return {
            "slots": self.spec.attention.slots,
            "channels": self.spec.attention.channels,
            "heads": self.sizes.heads,
            "head_dim": self.sizes.head_dim,
            "max_tokens": self.sizes.tokens,
            "activation": activation,
            "accumulator": activation,
        }

    def _made(self, contract: type[C], **parameters: Any) -> C:
        """A contract of the chosen preset, without the memory latency that its depths may hold."""
        try:
            return contract.from_preset(self.spec.blocks, **parameters).beside_memory()
        except ContractError as cause:
            raise MachineError(f"{self.spec.name}: {cause}") from None

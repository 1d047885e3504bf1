"""Encoders of images by windows that shift from layer to layer: Swin."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.images import Images
from hwsim.mapping.models.swin_graph import swin_graph
from hwsim.mapping.models.swin_stages import Stage, stages_of
from hwsim.mapping.operators.act import ActFunction
from hwsim.mapping.parallel import Split, require_whole
from hwsim.mapping.step import Step
from hwsim.mapping.workload.image_run import ImageRun
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.run import Run

Depth = Annotated[int, Field(ge=1, le=1_000)]
Heads = Annotated[int, Field(ge=1, le=100_000)]


class SwinModel(Images, Model):
    """Stages of layers; between stages 2 x 2 tokens become one of twice the elements.

    Attention sees the windows of a grid (`window2d`), with a learned bias a relative place. The pattern says what
    rolling and cutting the grid do in the published code, so no operator does these.

    Source: Liu et al. 2021.
    """

    run_type: ClassVar[type[Run]] = ImageRun

    family: Literal["swin"] = "swin"
    patch: int = Field(default=4, ge=1, le=100_000, description="pixels of a patch's side")
    d_model: int = Field(
        ge=1, le=1_000_000, description="elements of a token in the first stage; twice as many in each further one"
    )
    depths: tuple[Depth, ...] = Field(min_length=1, max_length=16, strict=False, description="layers of each stage")
    heads: tuple[Heads, ...] = Field(min_length=1, max_length=16, strict=False, description="heads of each stage")
    window: int = Field(default=7, ge=1, le=100_000, description="side of a window, in tokens")
    mlp_ratio: int = Field(default=4, ge=1, le=1_000, description="hidden units of a layer, as a multiple of its width")
    activation: ActFunction = Field(default="gelu_erf", description="of the hidden units")
    qkv_bias: bool = Field(default=True, description="whether matrices of queries, keys and values have biases")
    classes: int | None = Field(
        default=None, ge=1, le=100_000_000, description="classes that a matrix makes of the mean of the last tokens"
    )

    @model_validator(mode="after")
    def _has_stages(self) -> Self:
        if len(self.depths) != len(self.heads):
            raise ValueError(f"heads: expected one number for each of {len(self.depths)} stages, got {len(self.heads)}")
        _ = self.stages
        return self

    @property
    def stages(self) -> tuple[Stage, ...]:
        height, width = self.image_height // self.patch, self.image_width // self.patch
        return stages_of(
            height=height, width=width, elements=self.d_model, depths=self.depths, heads=self.heads, window=self.window
        )

    @property
    def tokens(self) -> int:
        """Tokens of an image in the first stage."""
        return self.patches

    @property
    def layers(self) -> int:
        """Layers of all stages."""
        return sum(self.depths)

    @property
    def parameters(self) -> int:
        first, last = self.stages[0], self.stages[-1]
        embedding = self.patch_elements * first.elements + 3 * first.elements  # with a bias and a norm
        stages = sum(stage.layers * self._layer_parameters(stage) for stage in self.stages)
        merging = sum(8 * stage.elements**2 + 8 * stage.elements for stage in self.stages[:-1])
        return embedding + stages + merging + 2 * last.elements + (self.classes or 0) * (last.elements + 1)

    def _layer_parameters(self, stage: Stage) -> int:
        """Attention, hidden layer, two norms, and the biases of relative places."""
        d, hidden = stage.elements, self.mlp_ratio * stage.elements
        attention = 4 * d**2 + (3 * self.qkv_bias + 1) * d + stage.heads * stage.relative_bias.entries
        return attention + 2 * d * hidden + hidden + d + 4 * d

    def check_run(self, run: Run) -> None:
        assert isinstance(run, ImageRun)  # which may be of any length

    def macs(self, step: Step) -> int:
        """Multiply-accumulates of one step, in closed form."""
        embedding = self.tokens * self.patch_elements * self.d_model
        stages = sum(self._stage_macs(stage) for stage in self.stages)
        merging = sum(stage.tokens // 4 * 8 * stage.elements**2 for stage in self.stages[:-1])
        classifier = step.outputs * self.stages[-1].elements * (self.classes or 0)
        return step.batch * (embedding + stages + merging) + classifier

    def _stage_macs(self, stage: Stage) -> int:
        """Of one image: matrices of all layers, and attention within windows."""
        d, tokens = stage.elements, stage.tokens
        matrices = stage.layers * tokens * (4 + 2 * self.mlp_ratio) * d**2
        pairs = sum(stage.pattern(layer).pairs(tokens, tokens) for layer in range(stage.layers))
        return matrices + 2 * d * pairs

    def graph(self, run: Run, split: Split) -> OperatorGraph:
        require_whole(self, split)
        return swin_graph(self)

    def summary(self) -> str:
        size = f"{self.image_height} x {self.image_width} pixels, {self.tokens} tokens"
        stages = f"{self.layers} layers in {len(self.depths)} stages, d {self.d_model}"
        return f"{stages}, {size}, {self.parameters / 1e6:.1f} M parameters"

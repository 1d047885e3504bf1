"""The sizes of a model that the units are built for, as the source has them in its model.hpp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hwsim.errors import MachineError
from hwsim.mapping.models.image_encoder import ImageEncoder
from hwsim.mapping.models.moe_vit import MoeVitModel
from hwsim.mapping.workload.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """A model's sizes; the defaults are those of the published design.

    Attributes
    ----------
    hidden, expert_hidden : hidden units of a dense layer and of an expert
    experts, top_k : 0 for a model without experts
    pixel_channels, patch, patch_columns, patch_rows : of the images, and of the patches that they are cut into
    class_tokens : learned tokens before the patches
    """

    tokens: int = 129
    features: int = 192
    heads: int = 3
    hidden: int = 768
    expert_hidden: int = 384
    experts: int = 16
    top_k: int = 2
    pixel_channels: int = 3
    patch: int = 16
    patch_columns: int = 16
    patch_rows: int = 8
    class_tokens: int = 1

    @property
    def head_dim(self) -> int:
        return self.features // self.heads


PUBLISHED = Sizes()


def sizes_of(workload: Workload[Any, Any]) -> Sizes:
    """The sizes of a workload's model.

    Raises
    ------
    MachineError : a model that is no encoder of images
    """
    model = workload.model
    if not isinstance(model, ImageEncoder):
        raise MachineError(f"{workload.name}: edge_moe runs encoders of images, not {workload.model.family}")
    experts = model if isinstance(model, MoeVitModel) else None
    return Sizes(
        tokens=model.tokens,
        features=model.d_model,
        heads=model.heads,
        hidden=model.ff_size,
        expert_hidden=experts.expert_hidden if experts else 0,
        experts=experts.experts if experts else 0,
        top_k=experts.top_k if experts else 0,
        pixel_channels=model.channels,
        patch=model.patch,
        patch_columns=model.image_width // model.patch,
        patch_rows=model.image_height // model.patch,
        class_tokens=model.class_tokens,
    )

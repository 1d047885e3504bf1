"""Images and the patches that they are cut into."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hwsim.mapping.models.blocks import Block
from hwsim.mapping.operators import PatchEmbed, PerSequence, Tensor
from hwsim.mapping.workload.model import Checked


class Images(Checked):
    """Sizes of images, of which patches are tokens."""

    image_height: int = Field(default=224, ge=1, le=1_000_000, description="pixels")
    image_width: int = Field(default=224, ge=1, le=1_000_000, description="pixels")
    channels: int = Field(default=3, ge=1, le=10_000, description="values of a pixel")
    patch: int = Field(default=16, ge=1, le=100_000, description="pixels of a patch's side")

    @model_validator(mode="after")
    def _patches_tile(self) -> Self:
        for name, size in (("image_height", self.image_height), ("image_width", self.image_width)):
            if size % self.patch:
                raise ValueError(f"patches of {self.patch} pixels do not divide {name} {size}")
        return self

    @property
    def patches(self) -> int:
        """Patches of an image."""
        return (self.image_height // self.patch) * (self.image_width // self.patch)

    @property
    def patch_elements(self) -> int:
        """Values of a patch."""
        return self.channels * self.patch**2

    def embed_patches(
        self, block: Block, width: int, *, class_tokens: int = 0, positions: bool = True
    ) -> tuple[tuple[Tensor, ...], PatchEmbed]:
        """The graph's inputs, and the operator that makes tokens of `width` elements of them."""
        shape = (PerSequence(count=1), self.channels, self.image_height, self.image_width)
        embed = PatchEmbed(
            name="embed", role="embed", inputs=("image",), fmt=block.fmt, channels=self.channels,
            image_height=self.image_height, image_width=self.image_width, patch=self.patch, width=width,
            class_tokens=class_tokens, positions=positions,
        )  # fmt: skip
        return (Tensor(name="image", shape=shape, fmt=block.fmt),), embed

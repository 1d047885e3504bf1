"""Images cut into patches, each turned into a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators.base import PerSequence, Table, Tensor, require_shape, take
from hwsim.mapping.operators.matrices import Matrices
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class PatchEmbed(Matrices):
    """A vector a patch, learned class tokens before them, a learned vector a position added to all.

    A convolution whose kernel and stride are the patch: a matrix of (width, channels * patch^2) for each patch.
    A step's tokens are `tokens` for each image.

    Attributes
    ----------
    channels, image_height, image_width : of an image, in pixels
    patch : pixels of a patch's side, which divides both
    width : elements of a token
    class_tokens : learned tokens in front: class, distillation
    positions : whether each token has a learned position
    """

    kind: ClassVar[str] = "patch_embed"
    channels: int
    image_height: int
    image_width: int
    patch: int
    width: int
    class_tokens: int = 1
    positions: bool = True
    bias: bool = True

    def __post_init__(self) -> None:
        if self.image_height % self.patch or self.image_width % self.patch:
            image = f"{self.image_height} x {self.image_width}"
            raise GraphError(f"{self.name}: patches of {self.patch} x {self.patch} do not tile {image}")

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (image,) = take(self, inputs, 1)
        require_shape(self, image, PerSequence(count=1), self.channels, self.image_height, self.image_width)
        return Tensor(name=self.name, shape=("tokens", self.width), fmt=self.fmt)

    @property
    def patches(self) -> int:
        """Patches of an image."""
        return (self.image_height // self.patch) * (self.image_width // self.patch)

    @property
    def tokens(self) -> int:
        """Tokens of an image."""
        return self.class_tokens + self.patches

    @property
    def patch_elements(self) -> int:
        """Values of a patch."""
        return self.channels * self.patch**2

    def macs(self, step: Step) -> int:
        return step.batch * self.patches * self.patch_elements * self.width

    def element_ops(self, step: Step) -> int:
        return step.batch * self.tokens * self.width if self.positions else 0

    @property
    def has_biases(self) -> bool:
        return self.bias

    @property
    def tables(self) -> tuple[Table, ...]:
        learned = {
            "weight": (self.width, self.patch_elements, self.weight_fmt),
            "bias": (int(self.bias), self.width, self.bias_fmt),
            "class_tokens": (self.class_tokens, self.width, None),
            "positions": (self.tokens if self.positions else 0, self.width, None),
        }
        return tuple(
            Table(identity=f"{self.name}.{name}", rows=rows, columns=columns, fmt=fmt or self.fmt)
            for name, (rows, columns, fmt) in learned.items()
            if rows
        )

    def describe(self) -> str:
        image = f"{self.channels} x {self.image_height} x {self.image_width} in patches of {self.patch} x {self.patch}"
        return f"{image} -> {self.class_tokens} + {self.patches} tokens x {self.width}{self.describe_formats()}"

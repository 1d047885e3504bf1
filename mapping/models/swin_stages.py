"""The stages of Swin: each has its own grid of tokens, their width and heads of its own."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.operators import Dim, PerSequence, RelativeBias
from hwsim.mapping.patterns import Window2d


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Layers over one grid.

    Attributes
    ----------
    number : counted from 0
    first_layer, layers : its layers among those of the model
    height, width : of the grid, in tokens
    elements : of a token
    window : side of a window, in tokens

    Raises
    ------
    ValueError : heads that do not share a token's elements evenly, windows that do not tile the grid
    """

    number: int
    first_layer: int
    layers: int
    height: int
    width: int
    elements: int
    heads: int
    window: int

    def __post_init__(self) -> None:
        if self.elements % self.heads:
            elements = f"stage {self.number + 1} has {self.elements} elements a token"
            raise ValueError(f"heads: {elements}, which {self.heads} heads do not share evenly")
        windows = f"windows of {self.window} x {self.window}"
        if self.window > min(self.height, self.width):
            raise ValueError(f"window: {self.place}, too small for {windows}")
        if self.height % self.window or self.width % self.window:
            raise ValueError(f"window: {self.place}, which {windows} do not tile")

    @property
    def tokens(self) -> int:
        """Tokens of an image."""
        return self.height * self.width

    @property
    def rows(self) -> Dim:
        """The size that counts them: a step's tokens are those of the first stage."""
        return "tokens" if self.number == 0 else PerSequence(count=self.tokens)

    @property
    def relative_bias(self) -> RelativeBias:
        """Of each of its layers."""
        return RelativeBias(window=self.window, columns=self.width)

    def pattern(self, layer: int) -> Window2d:
        """Windows of its layer number `layer`, counted from 0 within the stage.

        Every other layer shifts them by half a window, unless a window is as long as a side of the grid.
        """
        alone = self.window == min(self.height, self.width)
        shift = self.window // 2 if layer % 2 and not alone else 0
        return Window2d(height=self.height, width=self.width, window=self.window, shift=shift)

    @property
    def place(self) -> str:
        """Its grid, for messages, which count stages from 1 as the paper does."""
        return f"stage {self.number + 1} has a grid of {self.height} x {self.width} tokens"


def stages_of(
    *, height: int, width: int, elements: int, depths: tuple[int, ...], heads: tuple[int, ...], window: int
) -> tuple[Stage, ...]:
    """All stages, of a model whose first has a grid of height x width tokens of so many elements.

    Raises
    ------
    ValueError : as `Stage`; a grid that cannot be halved for the next stage
    """
    made: list[Stage] = []
    for number, (depth, many) in enumerate(zip(depths, heads, strict=True)):
        if number and (height % 2 or width % 2):
            raise ValueError(f"depths: {made[-1].place}, of which the next stage cannot merge each 2 x 2")
        if number:
            height, width, elements = height // 2, width // 2, 2 * elements
        first = sum(depths[:number])
        made.append(
            Stage(
                number=number, first_layer=first, layers=depth, height=height, width=width, elements=elements,
                heads=many, window=window,
            )
        )  # fmt: skip
    return tuple(made)

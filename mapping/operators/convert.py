"""From one number format to another: never free, so an operator of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import ScaledFormat, TensorFormat
from hwsim.mapping.operators.base import Dim, Operator, Tensor, elements, take
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class _Convert(Operator):
    """What both directions have in common.

    Attributes
    ----------
    source : number format of the input
    shape : sizes of the tensor
    """

    source: TensorFormat
    shape: tuple[Dim, ...]

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        if x.shape != self.shape:
            raise GraphError(f"{self.name}: input {x} where {self.kind} expects [{', '.join(map(str, self.shape))}]")
        return Tensor(name=self.name, shape=x.shape, fmt=self.fmt)

    def input_fmt(self, index: int) -> TensorFormat:
        return self.source

    def describe(self) -> str:
        return f"{self.source} -> {self.fmt}"


@dataclass(frozen=True, kw_only=True)
class Quantise(_Convert):
    """Each element scaled and rounded; where the format has scales, the largest magnitudes are found first."""

    kind: ClassVar[str] = "quantise"

    def element_ops(self, step: Step) -> int:
        return conversion_passes(self.fmt) * elements(self.shape, step)


@dataclass(frozen=True, kw_only=True)
class Dequantise(_Convert):
    """Each element times its scale, in a format with more bits an element."""

    kind: ClassVar[str] = "dequantise"

    def element_ops(self, step: Step) -> int:
        return conversion_passes(self.fmt) * elements(self.shape, step)


def conversion_passes(fmt: TensorFormat) -> int:
    """Operations an element of bringing values into a format: one, and another to find the scales where it has such."""
    return 2 if isinstance(fmt, ScaledFormat) else 1


def conversion(name: str, x: Tensor, fmt: TensorFormat, *, layer: int | None) -> Quantise | Dequantise:
    """The operator `name` that brings a tensor into a format: quantising unless the format has more bits an element."""
    kind = Dequantise if fmt.bits > x.fmt.bits else Quantise
    return kind(name=name, layer=layer, inputs=(x.name,), fmt=fmt, source=x.fmt, shape=x.shape)

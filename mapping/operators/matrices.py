"""What operators with learned matrices have in common: number formats of the matrices, biases and running sums."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.formats import Format, TensorFormat
from hwsim.mapping.operators.base import Operator


@dataclass(frozen=True, kw_only=True)
class Matrices(Operator):
    """Products of inputs with learned matrices.

    Attributes
    ----------
    weight_fmt, bias_fmt : number formats of the matrices and of their biases; that of the output unless given
    accumulator : number format of the running sums; the machine's own unless given
    """

    weight_fmt: TensorFormat | None = None
    bias_fmt: Format | None = None
    accumulator: Format | None = None

    @property
    def has_biases(self) -> bool:
        """Whether something is added to the products."""
        raise NotImplementedError

    def describe_formats(self) -> str:
        """The formats that are stated, for dumps."""
        formats = {"weights": self.weight_fmt, "bias": self.bias_fmt, "accumulator": self.accumulator}
        return "".join(f", {name} {fmt}" for name, fmt in formats.items() if fmt)

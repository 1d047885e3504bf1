"""Number formats of operands that differ from the one in which a model computes."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.formats import Format, TensorFormat


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """Formats that replace the one that a model computes in; None leaves that.

    Attributes
    ----------
    weights, biases : of matrices
    inputs : in which matrices take their inputs
    accumulator : of their running sums, whose rounding to the output belongs to the matrix
    cache : of keys and values as they are kept
    """

    weights: TensorFormat | None = None
    biases: Format | None = None
    inputs: TensorFormat | None = None
    accumulator: Format | None = None
    cache: TensorFormat | None = None

    @property
    def changes_nothing(self) -> bool:
        return self == Scheme()

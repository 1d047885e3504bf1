"""The layers of encoders: as many heads of keys as of queries, matrices as wide as the model."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hwsim.mapping.models.layers import Layers
from hwsim.mapping.operators.act import ActFunction
from hwsim.mapping.patterns import Pattern
from hwsim.mapping.step import Step


class EncoderLayers(Layers):
    """Their sizes, and what one layer weighs and costs."""

    heads: int = Field(ge=1, le=100_000, description="heads of attention, of d_model / heads elements each")
    d_ff: int | None = Field(default=None, ge=1, le=10_000_000, description="hidden units; 4 x d_model unless given")
    activation: ActFunction = Field(
        default="gelu_erf", description="of the hidden units; `gelu_erf` is the exact GELU, `gelu` its tanh form"
    )

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.d_model % self.heads:
            raise ValueError(f"d_model {self.d_model} is not divisible by {self.heads} heads")
        return self

    @property
    def ff_size(self) -> int:
        return self.d_ff or 4 * self.d_model

    @property
    def attention_weights(self) -> int:
        """Weights in the matrices around attention: queries, keys, values, projection."""
        return 4 * self.d_model**2

    @property
    def mlp_weights(self) -> int:
        """Weights in the two matrices of a plain hidden layer."""
        return 2 * self.d_model * self.ff_size

    @property
    def mlp_parameters(self) -> int:
        """All parameters of a plain hidden layer."""
        return self.mlp_weights + self.bias * (self.ff_size + self.d_model)

    @property
    def head_size(self) -> int:
        """Elements of a head."""
        return self.d_model // self.heads

    def attention_macs(self, step: Step, pattern: Pattern) -> int:
        """Multiply-accumulates of one layer's attention over its own tokens: scores and values of all heads."""
        pairs = step.batch * pattern.pairs_of_heads(step.queries, step.queries, self.heads)
        return 2 * self.head_size * pairs

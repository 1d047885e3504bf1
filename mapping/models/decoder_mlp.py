"""The hidden layer of a decoder's layers, and what it weighs and costs."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.models.layers import Layers
from hwsim.mapping.operators.act import ActFunction
from hwsim.mapping.step import Step


class DecoderMlp(Layers):
    """Fields of the hidden layer; the defaults are those of GPT-2's form."""

    d_ff: int | None = Field(default=None, ge=1, le=10_000_000, description="4 x d_model unless given")
    mlp: Literal["plain", "gated"] = Field(
        default="plain", description="activation(x W1) W2, or (activation(x Wg) * (x Wu)) W2"
    )
    activation: ActFunction = Field(
        default="gelu", description="`gelu` in its tanh form, `gelu_erf` exact; `relu2` is relu squared"
    )
    mlp_bias: bool | None = Field(default=None, description="whether its matrices have biases; `bias` unless given")

    @model_validator(mode="after")
    def _check_hidden(self) -> Self:
        if self.mlp == "gated" and self.d_ff is None:
            raise ValueError("a gated mlp has no usual hidden size; give d_ff")
        return self

    @property
    def ff_size(self) -> int:
        return self.d_ff or 4 * self.d_model

    @property
    def has_mlp_bias(self) -> bool:
        return self.bias if self.mlp_bias is None else self.mlp_bias

    @property
    def mlp_weights(self) -> int:
        """Weights in one layer's matrices."""
        return (3 if self.mlp == "gated" else 2) * self.d_model * self.ff_size

    @property
    def mlp_parameters(self) -> int:
        """All parameters of one layer's hidden layer."""
        hidden = self.ff_size * (2 if self.mlp == "gated" else 1)
        return self.mlp_weights + self.has_mlp_bias * (hidden + self.d_model)

    def mlp_macs(self, step: Step) -> int:
        """Multiply-accumulates of one layer's hidden layer in one step."""
        return step.tokens * self.mlp_weights

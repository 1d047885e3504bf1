"""The hidden layer of a decoder's layers, or the experts in its place, and what that weighs and costs."""

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
    experts: int | None = Field(default=None, ge=1, le=100_000, description="experts of a layer that has them")
    top_k: int | None = Field(default=None, ge=1, le=100_000, description="experts of a token")
    expert_hidden: int | None = Field(
        default=None, ge=1, le=10_000_000, description="hidden units of an expert; d_ff unless given"
    )
    moe_every: int = Field(
        default=1, ge=1, le=10_000, description="the last of every so many layers has experts: of two, the second"
    )
    renormalise: bool = Field(default=False, description="whether the chosen experts' scores are divided by their sum")

    @model_validator(mode="after")
    def _check_hidden(self) -> Self:
        if self.mlp == "gated" and self.d_ff is None:
            raise ValueError("a gated mlp has no usual hidden size; give d_ff")
        return self

    @model_validator(mode="after")
    def _check_experts(self) -> Self:
        others = ("top_k", "expert_hidden", "moe_every", "renormalise")
        given = [name for name in others if name in self.model_fields_set]
        if self.experts is None:
            if given:
                raise ValueError(f"{given[0]} goes with experts, of which the model has none")
        elif self.top_k is None:
            raise ValueError(f"{self.experts} experts: give top_k, how many of them a token has")
        elif self.top_k > self.experts:
            raise ValueError(f"top_k: a token cannot go to {self.top_k} of {self.experts} experts")
        elif self.moe_every > self.layers:
            raise ValueError(f"moe_every {self.moe_every} leaves {self.layers} layers without experts")
        return self

    @property
    def ff_size(self) -> int:
        return self.d_ff or 4 * self.d_model

    @property
    def has_mlp_bias(self) -> bool:
        return self.bias if self.mlp_bias is None else self.mlp_bias

    @property
    def expert_size(self) -> int:
        """Hidden units of an expert."""
        return self.expert_hidden or self.ff_size

    def has_experts(self, layer: int) -> bool:
        """Whether a layer, counted from 0, has experts in place of the hidden layer."""
        return self.experts is not None and layer % self.moe_every == self.moe_every - 1

    @property
    def moe_layers(self) -> int:
        """Layers with experts."""
        return 0 if self.experts is None else self.layers // self.moe_every

    @property
    def mlp_weights(self) -> int:
        """Weights in all layers' matrices, with those that choose experts."""
        dense = (self.layers - self.moe_layers) * self._weights(self.ff_size)
        choices, experts = self.d_model * (self.experts or 0), (self.experts or 0) * self._weights(self.expert_size)
        return dense + self.moe_layers * (choices + experts)

    @property
    def mlp_parameters(self) -> int:
        """All parameters of all layers."""
        dense = (self.layers - self.moe_layers) * self._biases(self.ff_size)
        experts = self.moe_layers * (self.experts or 0) * self._biases(self.expert_size)
        return self.mlp_weights + self.has_mlp_bias * (dense + experts)

    def mlp_macs(self, step: Step) -> int:
        """Multiply-accumulates of all layers in one step; which experts the tokens go to does not change them."""
        dense = (self.layers - self.moe_layers) * self._weights(self.ff_size)
        choices, chosen = self.d_model * (self.experts or 0), (self.top_k or 0) * self._weights(self.expert_size)
        return step.tokens * (dense + self.moe_layers * (choices + chosen))

    def _weights(self, hidden: int) -> int:
        """Weights of the matrices around so many hidden units."""
        return (3 if self.mlp == "gated" else 2) * self.d_model * hidden

    def _biases(self, hidden: int) -> int:
        return hidden * (2 if self.mlp == "gated" else 1) + self.d_model

"""What the parts of a transformer's layers have in common."""

from __future__ import annotations

from pydantic import Field

from hwsim.mapping.workload.model import Checked


class Layers(Checked):
    """How many layers, how wide the vector of a token between them, whether their matrices have biases."""

    layers: int = Field(ge=1, le=10_000)
    d_model: int = Field(ge=1, le=1_000_000, description="hidden size")
    bias: bool = Field(default=True, description="whether matrices of the blocks have biases")

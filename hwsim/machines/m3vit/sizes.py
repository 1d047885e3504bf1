"""The sizes of a model that units and memories depend on."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import Act, ExpertFfn, Linear, PatchEmbed, Route


class Sizes(BaseModel):
    """What a machine is built for, or what a model has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    width: int = Field(ge=1, le=1 << 16, description="elements of a token")
    hidden: int = Field(ge=0, le=1 << 20, description="hidden units of a dense layer; 0 without")
    expert_hidden: int = Field(ge=0, le=1 << 20, description="hidden units of an expert; 0 without")
    tokens: int = Field(ge=1, le=1 << 16, description="tokens of an image")
    experts: int = Field(ge=0, le=1 << 16, description="experts of a layer; 0 without")
    top_k: int = Field(ge=0, le=1 << 16, description="experts of a token")
    patch_elements: int = Field(ge=1, le=1 << 24, description="values of a patch")
    class_tokens: int = Field(ge=0, le=16, description="learned tokens of an image, among its tokens")
    final_norm: bool = Field(description="whether a norm follows the layers")
    classes: int = Field(ge=0, le=1 << 24, description="classes that a matrix makes of the class token; 0 without")

    @property
    def resident_words(self) -> int:
        """Learned parameters outside the layers: of patches, positions, class tokens, final norm and classifier."""
        embedding = (self.patch_elements + 1 + self.class_tokens + self.tokens) * self.width
        return embedding + self.final_norm * 2 * self.width + self.classes * (self.width + 1)

    @classmethod
    def of(cls, graph: OperatorGraph, tokens: int) -> Self:
        """Those of a graph, whose images have so many tokens."""
        routes = [op for op in graph.operators if isinstance(op, Route)]
        (embed,) = (op for op in graph.operators if isinstance(op, PatchEmbed))
        roles = {op.role: op for op in graph.operators if op.layer is None}
        classifier = roles.get("classifier")
        return cls(
            width=embed.width,
            hidden=max((op.width for op in graph.operators if isinstance(op, Act)), default=0),
            expert_hidden=max((op.hidden for op in graph.operators if isinstance(op, ExpertFfn)), default=0),
            tokens=tokens,
            experts=max((op.experts for op in routes), default=0),
            top_k=max((op.top_k for op in routes), default=0),
            patch_elements=embed.patch_elements,
            class_tokens=embed.class_tokens,
            final_norm="final_norm" in roles,
            classes=classifier.d_out if isinstance(classifier, Linear) else 0,
        )

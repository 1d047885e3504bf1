"""The sizes of a model that units and memories depend on."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import Act, ExpertFfn, PatchEmbed, Route


class Sizes(BaseModel):
    """What a machine is built for, or what a model has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    width: int = Field(ge=1, le=1 << 16, description="elements of a token")
    hidden: int = Field(ge=0, le=1 << 20, description="hidden units of a dense layer; 0 without")
    expert_hidden: int = Field(ge=0, le=1 << 20, description="hidden units of an expert; 0 without")
    tokens: int = Field(ge=1, le=1 << 16, description="tokens of an image")
    experts: int = Field(ge=0, le=1 << 16, description="experts of a layer; 0 without")
    top_k: int = Field(ge=0, le=1 << 16, description="experts of a token")

    @classmethod
    def of(cls, graph: OperatorGraph, tokens: int) -> Self:
        """Those of a graph, whose images have so many tokens."""
        routes = [op for op in graph.operators if isinstance(op, Route)]
        return cls(
            width=max(op.width for op in graph.operators if isinstance(op, PatchEmbed)),
            hidden=max((op.width for op in graph.operators if isinstance(op, Act)), default=0),
            expert_hidden=max((op.hidden for op in graph.operators if isinstance(op, ExpertFfn)), default=0),
            tokens=tokens,
            experts=max((op.experts for op in routes), default=0),
            top_k=max((op.top_k for op in routes), default=0),
        )

"""Encoders of long texts, whose attention follows a pattern: Longformer, BigBird, ModernBERT."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.long_context_graph import long_context_graph
from hwsim.mapping.models.pattern_text import check_fit, check_text
from hwsim.mapping.models.text_encoder import TextEncoder
from hwsim.mapping.parallel import Split, require_whole
from hwsim.mapping.patterns import MemorySlots, Pattern, parse_pattern
from hwsim.mapping.step import Step
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.run import Run, SequenceRun

Theta = Annotated[float, Field(gt=1, le=1e12, strict=False)]


class LongContextModel(TextEncoder, Model):
    """An encoder with a pattern a layer; the defaults are those of Longformer and BigBird."""

    run_type: ClassVar[type[Run]] = SequenceRun

    patterns: tuple[str, ...] = Field(
        min_length=1,
        max_length=10_000,
        strict=False,
        description="patterns of attention (docs/patterns.md), by layer; they repeat, so one is that of all layers",
    )
    global_tokens: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="first tokens of a sequence that see all and are seen by all, with matrices of queries, keys and "
        "values of their own (Longformer); global tokens without such are written in the patterns",
    )
    position: Literal["learned", "rope"] = Field(
        default="learned", description="a row a position added to the embedding, or rotated queries and keys"
    )
    rope_thetas: tuple[Theta, ...] = Field(
        default=(10_000.0,),
        min_length=1,
        max_length=10_000,
        strict=False,
        description="base of the rotations' wavelengths, by layer, for `rope`; they repeat as the patterns do",
    )
    norm_order: Literal["post", "pre"] = Field(
        default="post", description="whether sums are normed, or what attention and mlp read, and the end"
    )
    first_norm: bool = Field(
        default=True, description="for `pre`: whether the first layer's attention reads through a norm (ModernBERT: no)"
    )
    norm_bias: bool = Field(default=True, description="whether norms have biases")
    mlp: Literal["plain", "gated"] = Field(
        default="plain", description="activation(x W1) W2, or (activation(x Wg) * (x Wu)) W2"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for text in dict.fromkeys(self.patterns):
            check_text(text)
        if self.position != "rope" and "rope_thetas" in self.model_fields_set:
            raise ValueError("rope_thetas goes with position: rope, and with no other")
        if self.position == "rope" and self.head_size % 2:
            raise ValueError(f"rope rotates pairs of elements, but a head has {self.head_size}")
        if self.position == "rope" and self.position_offset:
            raise ValueError("position_offset goes with position: learned, and with no other")
        if self.position == "rope" and self.global_tokens:
            raise ValueError("global_tokens goes with position: learned, and with no other")
        if self.norm_order != "pre" and not self.first_norm:
            raise ValueError("first_norm: false goes with norm_order: pre, and with no other")
        return self

    def check_run(self, run: Run) -> None:
        super().check_run(run)
        assert isinstance(run, SequenceRun)
        if self.global_tokens > run.tokens:
            raise ValueError(f"global_tokens: a sequence of {run.tokens} tokens does not have {self.global_tokens}")
        for text in dict.fromkeys(self.patterns):
            check_fit(text, heads=self.heads, queries=run.tokens, keys=run.tokens)

    def pattern_of(self, layer: int) -> Pattern:
        """What the tokens of a layer see, global tokens with matrices of their own apart."""
        pattern = parse_pattern(self.patterns[layer % len(self.patterns)])
        return pattern | MemorySlots(count=self.global_tokens) if self.global_tokens else pattern

    def theta_of(self, layer: int) -> float:
        """Base of a layer's wavelengths."""
        return self.rope_thetas[layer % len(self.rope_thetas)]

    def has_norm1(self, layer: int) -> bool:
        """Whether a layer's attention has a norm, before or after it."""
        return layer > 0 or self.first_norm

    @property
    def has_positions(self) -> bool:
        return self.position == "learned"

    @property
    def norm_parameters(self) -> int:
        """Of one norm."""
        return self.d_model * (2 if self.norm_bias else 1)

    @property
    def norms(self) -> int:
        """Norms of the model: of the embedding, two a layer but where the first is left out, at the end."""
        return 1 + 2 * self.layers - (not self.first_norm) + (self.norm_order == "pre")

    @property
    def mlp_weights(self) -> int:
        return (3 if self.mlp == "gated" else 2) * self.d_model * self.ff_size

    @property
    def mlp_parameters(self) -> int:
        hidden = self.ff_size * (2 if self.mlp == "gated" else 1)
        return self.mlp_weights + self.bias * (hidden + self.d_model)

    @property
    def parameters(self) -> int:
        d = self.d_model
        matrices = 4 + (3 if self.global_tokens else 0)
        layers = self.layers * (matrices * d * (d + self.bias) + self.mlp_parameters)
        return self.embedding_parameters + self.norms * self.norm_parameters + layers + self.pooler_parameters

    def macs(self, step: Step) -> int:
        """Multiply-accumulates of one step, in closed form."""
        matrices = step.tokens * (self.attention_weights + self.mlp_weights) + self._global_macs(step)
        attention = sum(self.attention_macs(step, self.pattern_of(layer)) for layer in range(self.layers))
        return self.layers * matrices + attention + self.pooler_macs(step)

    def _global_macs(self, step: Step) -> int:
        """Of one layer's global tokens: queries of their own, keys and values of all, attention over all."""
        if not self.global_tokens:
            return 0
        d, queries = self.d_model, step.batch * self.global_tokens
        return (2 * step.tokens + queries) * d**2 + 2 * d * queries * step.queries

    def graph(self, run: Run, split: Split) -> OperatorGraph:
        require_whole(self, split)
        return long_context_graph(self)

    def summary(self) -> str:
        return f"{super().summary()}, {self.parameters / 1e6:.1f} M parameters"


class LongBertModel(LongContextModel):
    """An encoder of BERT's form with patterns, unless fields say otherwise."""

    family: Literal["long_context"] = "long_context"


class ModernBertModel(LongContextModel):
    """An encoder of ModernBERT's form unless fields say otherwise: every third layer sees all, others what is near."""

    family: Literal["modernbert"] = "modernbert"
    patterns: tuple[str, ...] = Field(
        default=("full", "window(64, 64)", "window(64, 64)"), min_length=1, max_length=10_000, strict=False
    )
    position: Literal["learned", "rope"] = "rope"
    rope_thetas: tuple[Theta, ...] = Field(
        default=(160_000.0, 10_000.0, 10_000.0), min_length=1, max_length=10_000, strict=False
    )
    norm_order: Literal["post", "pre"] = "pre"
    first_norm: bool = False
    norm_bias: bool = False
    bias: bool = False
    segments: int = Field(default=0, ge=0, le=1_000, description="rows of the segment table; 0 for none")
    pooler: bool = False
    mlp: Literal["plain", "gated"] = "gated"

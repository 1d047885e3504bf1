"""Hierarchical encoders of long texts: HAT, whose segments see themselves, and their first tokens each other."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.bert_layer import bert_layer_macs, bert_layer_parameters
from hwsim.mapping.models.hat_graph import hat_graph
from hwsim.mapping.models.text_encoder import TextEncoder
from hwsim.mapping.parallel import Split, require_whole
from hwsim.mapping.patterns import Full, Segment
from hwsim.mapping.step import Step
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.run import Run, SequenceRun

Layer = Annotated[int, Field(ge=0, le=10_000)]


class HatModel(TextEncoder, Model):
    """Layers of BERT's form over segments; after some of them one more over the segments' first tokens.

    A segment's first token stands for it, as the class token does for a text. Positions count within a segment; in the
    cross-segment layers those of the segments are added, by a table that all these layers share.

    Source: Chalkidis et al. 2022, and its published code (coastalcph/hierarchical-transformers).
    """

    run_type: ClassVar[type[Run]] = SequenceRun

    family: Literal["hat"] = "hat"
    segment_tokens: int = Field(
        default=128, ge=1, le=1_000_000, description="tokens of a segment, the one that stands for it included"
    )
    cross_layers: tuple[Layer, ...] = Field(
        default=(),
        max_length=10_000,
        strict=False,
        description="layers, counted from 0, that are followed by one over the segments' first tokens",
    )
    segment_position_offset: int = Field(
        default=1, ge=0, le=1_000, description="rows of the segments' position table before the first segment's"
    )
    pooler: bool = Field(default=False, description="whether tanh(W x + b) is made of the first token's vector")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.n_ctx % self.segment_tokens:
            raise ValueError(f"n_ctx: {self.n_ctx} tokens are no whole number of segments of {self.segment_tokens}")
        if list(self.cross_layers) != sorted(set(self.cross_layers)):
            raise ValueError(f"cross_layers: expected layers in ascending order, got {list(self.cross_layers)}")
        if self.cross_layers and self.cross_layers[-1] >= self.layers:
            raise ValueError(f"cross_layers: layer {self.cross_layers[-1]} is beyond the last, {self.layers - 1}")
        return self

    def check_run(self, run: Run) -> None:
        super().check_run(run)
        assert isinstance(run, SequenceRun)
        if run.tokens % self.segment_tokens:
            raise ValueError(
                f"tokens: {run.tokens} tokens are no whole number of segments of {self.segment_tokens}; pad them to "
                f"{-(-run.tokens // self.segment_tokens) * self.segment_tokens}"
            )

    def segments_of(self, run: Run) -> int:
        """Segments of a sequence."""
        assert isinstance(run, SequenceRun)
        return run.tokens // self.segment_tokens

    @property
    def position_rows(self) -> int:
        return self.segment_tokens + self.position_offset

    @property
    def segment_position_rows(self) -> int:
        """Rows of the table of the segments' positions."""
        return self.n_ctx // self.segment_tokens + self.segment_position_offset

    @property
    def parameters(self) -> int:
        norm = 2 * self.d_model
        layers = (self.layers + len(self.cross_layers)) * bert_layer_parameters(self)
        places = self.segment_position_rows * self.d_model if self.cross_layers else 0
        return self.embedding_parameters + norm + layers + places + self.pooler_parameters

    def macs(self, step: Step) -> int:
        """Multiply-accumulates of one step, in closed form."""
        segments = step.queries // self.segment_tokens
        first_tokens = Step(queries=segments, context=segments, batch=step.batch)
        within = self.layers * bert_layer_macs(self, step, Segment(size=self.segment_tokens))
        across = len(self.cross_layers) * bert_layer_macs(self, first_tokens, Full())
        return within + across + self.pooler_macs(step)

    def graph(self, run: Run, split: Split) -> OperatorGraph:
        require_whole(self, split)
        return hat_graph(self, self.segments_of(run))

    def summary(self) -> str:
        return f"{super().summary()}, segments of {self.segment_tokens}, {self.parameters / 1e6:.1f} M parameters"

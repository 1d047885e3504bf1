"""What encoders of text have before and after their layers: embeddings and their norm, the pooler."""

from __future__ import annotations

from pydantic import Field

from hwsim.mapping.formats import Int
from hwsim.mapping.models.blocks import Block
from hwsim.mapping.models.encoder_layers import EncoderLayers
from hwsim.mapping.operators import Embed, Tensor
from hwsim.mapping.step import Step
from hwsim.mapping.workload.run import Run, SequenceRun


class TextEncoder(EncoderLayers):
    """Fields of the embeddings and the pooler; sequences no longer than the model allows."""

    vocab: int = Field(ge=1, le=100_000_000)
    n_ctx: int = Field(ge=1, le=100_000_000, description="longest sequence of the model, in tokens")
    position_offset: int = Field(
        default=0, ge=0, le=1_000, description="rows of the position table before the first token's (RoBERTa: 2)"
    )
    segments: int = Field(default=2, ge=0, le=1_000, description="rows of the segment table; 0 for none")
    pooler: bool = Field(default=True, description="whether tanh(W x + b) is made of the first token's vector")

    def check_run(self, run: Run) -> None:
        assert isinstance(run, SequenceRun)
        if run.tokens > self.n_ctx:
            raise ValueError(
                f"a sequence of {run.tokens} tokens is longer than n_ctx {self.n_ctx}; "
                f"set it with --set workload.n_ctx={run.tokens}"
            )

    @property
    def has_positions(self) -> bool:
        """Whether each position has a learned vector."""
        return True

    @property
    def position_rows(self) -> int:
        """Rows of the position table."""
        return self.n_ctx + self.position_offset if self.has_positions else 0

    @property
    def embedding_parameters(self) -> int:
        return (self.vocab + self.position_rows + self.segments) * self.d_model

    @property
    def pooler_parameters(self) -> int:
        return self.pooler * self.d_model * (self.d_model + 1)

    def pooler_macs(self, step: Step) -> int:
        return self.pooler * step.outputs * self.d_model**2

    def embedding(self, block: Block) -> tuple[tuple[Tensor, ...], Embed]:
        """The graph's inputs, and the operator that reads them."""
        names = ("token_ids", "segment_ids") if self.segments else ("token_ids",)
        numbers = Int(width=32, signed=True)
        embed = Embed(
            name="embed", role="embed", inputs=names, fmt=block.fmt, vocab=self.vocab, width=self.d_model,
            positions=self.position_rows, segments=self.segments,
        )  # fmt: skip
        return tuple(Tensor(name=name, shape=("tokens",), fmt=numbers) for name in names), embed

    def summary(self) -> str:
        return f"{self.layers} layers, d {self.d_model}, {self.heads} heads, {self.n_ctx} tokens"

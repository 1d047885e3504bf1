"""Decoder-only transformers: GPT-2's form, Llama's form, and what lies between."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from hwsim.mapping.errors import MappingError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.decoder_attention import DecoderAttention
from hwsim.mapping.models.decoder_graph import decoder_graph
from hwsim.mapping.models.decoder_mlp import DecoderMlp
from hwsim.mapping.operators.act import ActFunction
from hwsim.mapping.parallel import Split
from hwsim.mapping.step import Step
from hwsim.mapping.workload.loads import Load
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.run import DecoderRun, Run
from hwsim.mapping.workload.workload import Workload


class DecoderModel(DecoderAttention, DecoderMlp, Model):
    """A decoder-only transformer; the defaults are those of GPT-2's form."""

    run_type: ClassVar[type[Run]] = DecoderRun

    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    post_norms: bool = Field(
        default=False, description="whether what attention and mlp give is normed too, before it is added to the stream"
    )
    block: Literal["sequential", "parallel", "parallel_one_norm"] = Field(
        default="sequential",
        description="whether the mlp reads what attention added to the stream, or the stream itself, "
        "by a norm of its own or by that of attention",
    )
    tied_embeddings: bool = Field(default=True, description="whether the vocabulary projection is the embedding table")
    embedding_scale: float | None = Field(
        default=None, gt=0, le=1e6, strict=False, description="factor of the embedded tokens"
    )
    lm_head_bias: bool = Field(default=False, description="whether the vocabulary projection has biases")
    logit_softcap: float | None = Field(
        default=None, gt=0, le=1e6, strict=False, description="logits z become cap x tanh(z / cap)"
    )
    vocab: int = Field(ge=1, le=100_000_000)
    n_ctx: int = Field(ge=1, le=100_000_000, description="longest context of the model, in tokens")

    def check_run(self, run: Run) -> None:
        assert isinstance(run, DecoderRun)
        if run.context > self.n_ctx:
            raise ValueError(
                f"a context of {run.context} tokens is longer than n_ctx {self.n_ctx}; "
                f"set it with --set workload.n_ctx={run.context}"
            )

        if self.experts is None and run.routing is not None:
            raise ValueError("routing goes with experts, of which the model has none")
        if self.experts is not None and self.top_k is not None and run.routing is not None:
            run.routing.check(self.experts, self.top_k)

    def completed(self, run: Run) -> Run:
        assert isinstance(run, DecoderRun)
        if self.experts is None or run.routing is not None:
            return run
        return run.model_copy(update={"routing": Load()})

    @property
    def block_weights(self) -> int:
        """Weights in the matrices of all blocks, without biases and norms."""
        return self.layers * self.attention_weights + self.mlp_weights

    @property
    def parameters(self) -> int:
        norm = self.d_model * (2 if self.norm == "layernorm" else 1)
        norms = (1 if self.block == "parallel_one_norm" else 2) + (2 if self.post_norms else 0)
        blocks = self.layers * (self.attention_parameters + norms * norm) + self.mlp_parameters
        rows = self.vocab * (1 if self.tied_embeddings else 2) + (self.n_ctx if self.position == "learned" else 0)
        return blocks + norm + rows * self.d_model + self.lm_head_bias * self.vocab

    def macs(self, step: Step) -> int:
        """Multiply-accumulates of one step of the whole model, in closed form."""
        return self.block_macs(step) + step.outputs * self.d_model * self.vocab

    def block_macs(self, step: Step) -> int:
        """The same of the blocks alone, without the vocabulary projection."""
        return sum(self.attention_macs(layer, step) for layer in range(self.layers)) + self.mlp_macs(step)

    def graph(self, run: Run, split: Split) -> OperatorGraph:
        assert isinstance(run, DecoderRun)
        return decoder_graph(self, split, whole=run.lm_head == "included")

    def summary(self) -> str:
        experts = "" if self.experts is None else f"{self.top_k} of {self.experts} experts in {self.moe_layers}, "
        return (
            f"{self.layers} layers, d {self.d_model}, {self.heads} heads, context {self.n_ctx}, {experts}"
            f"{self.parameters / 1e6:.1f} M parameters"
        )


class GptModel(DecoderModel):
    """A decoder-only transformer of GPT-2's form unless fields say otherwise."""

    family: Literal["gpt"] = "gpt"


class LlamaModel(DecoderModel):
    """A decoder-only transformer of Llama's form unless fields say otherwise."""

    family: Literal["llama"] = "llama"
    norm: Literal["layernorm", "rmsnorm"] = "rmsnorm"
    position: Literal["learned", "rope"] = "rope"
    mlp: Literal["plain", "gated"] = "gated"
    activation: ActFunction = "silu"
    bias: bool = False
    tied_embeddings: bool = False


DecoderWorkload = Workload[DecoderModel, DecoderRun]


def decoder_of(workload: Workload[Model, Run], machine: str) -> DecoderWorkload:
    """A workload, known to be one that decodes.

    Raises
    ------
    MappingError : a workload of another kind; names the machine and what it runs
    """
    if isinstance(workload.model, DecoderModel) and isinstance(workload.run, DecoderRun):
        return Workload(model=workload.model, run=workload.run, machine=workload.machine)
    raise MappingError(
        f"{machine}: runs decoders token by token (families gpt, llama); "
        f"{workload.name} is of family {workload.model.family}"
    )

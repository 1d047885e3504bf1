"""What is to be computed: a model, a phase and a batch, read from YAML and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from hwsim.mapping.errors import WorkloadError, nearest
from hwsim.mapping.formats import FormatError, parse_format
from hwsim.mapping.patterns import Causal, Full, Pattern, PatternName, Window
from hwsim.mapping.yaml_file import first_problem, read_mapping

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Grade = Literal["S", "T", "C", "R", "M", "A"]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Provenance(_Checked):
    """Where the model's dimensions come from; grades as in the documentation (M: remembered, unconfirmed)."""

    grade: Grade
    source: str = Field(max_length=300)
    unsure: tuple[str, ...] = Field(default=(), strict=False, description="fields that the source leaves in doubt")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One pass over the layers: for each sequence of the batch, `queries` new tokens that end at `context`."""

    queries: int
    context: int
    batch: int = 1

    @property
    def tokens(self) -> int:
        """Vectors that pass the layers together."""
        return self.queries * self.batch


class GptWorkload(_Checked):
    """A decoder-only transformer and what to run with it; of GPT-2's form unless fields say otherwise."""

    name: Name
    family: Literal["gpt", "llama"] = "gpt"
    machine: Name = Field(description="machine that runs it unless --machine says otherwise")
    layers: int = Field(ge=1, le=10_000)
    d_model: int = Field(ge=1, le=1_000_000, description="hidden size")
    heads: int = Field(ge=1, le=100_000, description="heads of queries")
    kv_heads: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="heads of keys and values, which groups of heads share; heads unless given",
    )
    head_dim: int | None = Field(default=None, ge=1, le=1_000_000, description="d_model / heads unless given")
    d_ff: int | None = Field(default=None, ge=1, le=10_000_000, description="4 x d_model unless given")
    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    position: Literal["learned", "rope"] = Field(
        default="learned", description="a row a position added to the embedding, or rotated queries and keys"
    )
    rope_theta: float = Field(
        default=10_000.0, gt=1, le=1e12, strict=False, description="base of the rotations' wavelengths, for `rope`"
    )
    mlp: Literal["plain", "gated"] = Field(
        default="plain", description="activation(x W1) W2, or (activation(x Wg) * (x Wu)) W2"
    )
    activation: Literal["gelu", "silu"] = "gelu"
    bias: bool = Field(default=True, description="whether matrices of the blocks have biases")
    tied_embeddings: bool = Field(default=True, description="whether the vocabulary projection is the embedding table")
    vocab: int = Field(ge=1, le=100_000_000)
    n_ctx: int = Field(ge=1, le=100_000_000, description="longest context of the model, in tokens")
    attention: PatternName = "causal"
    window: int | None = Field(default=None, ge=1, le=100_000_000, description="keys before the query, for `window`")
    format: str = Field(default="bf16", description="number format of weights and activations")
    phase: Literal["decode", "prefill"] = "decode"
    past: int = Field(
        default=0, ge=0, le=100_000_000, description="tokens whose keys and values lie in the cache when the run begins"
    )
    prompt: int = Field(default=0, ge=0, le=100_000_000, description="tokens of the prompt")
    tokens: int = Field(default=1024, ge=0, le=100_000_000, description="tokens to generate (decode)")
    batch: int = Field(default=1, ge=1, le=65_536, description="sequences at once")
    lm_head: Literal["excluded", "pim", "host"] = Field(
        default="excluded", description="where the vocabulary projection runs; excluded times the blocks alone"
    )
    provenance: Provenance

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.head_dim is None and self.d_model % self.heads:
            raise ValueError(
                f"d_model {self.d_model} is not divisible by {self.heads} heads; "
                "choose another number of heads or give head_dim"
            )
        self._check_form()
        try:
            parse_format(self.format)
        except FormatError as cause:
            raise ValueError(f"format: {cause}") from None
        if (self.attention == "window") != (self.window is not None):
            raise ValueError("window goes with attention: window, and with no other")
        if self.phase == "prefill" and self.prompt == 0:
            raise ValueError("prefill needs a prompt of at least 1 token")
        if self.phase == "decode" and self.tokens == 0:
            raise ValueError("decode needs at least 1 token to generate")
        if not self.pattern.causal:
            raise ValueError(f"{self.phase} token by token needs a causal attention, got {self.attention}")
        if self.context > self.n_ctx:
            raise ValueError(
                f"a context of {self.context} tokens is longer than n_ctx {self.n_ctx}; "
                f"set it with --set workload.n_ctx={self.context}"
            )
        return self

    def _check_form(self) -> None:
        if self.heads % self.key_heads:
            raise ValueError(f"{self.heads} heads do not share {self.kv_heads} kv_heads evenly")
        if self.position == "rope" and self.head_size % 2:
            raise ValueError(f"rope rotates pairs of elements, but a head has {self.head_size}; give an even head_dim")
        if self.position != "rope" and "rope_theta" in self.model_fields_set:
            raise ValueError("rope_theta goes with position: rope, and with no other")
        if self.mlp == "gated" and self.d_ff is None:
            raise ValueError("a gated mlp has no usual hidden size; give d_ff")

    @property
    def head_size(self) -> int:
        return self.head_dim or self.d_model // self.heads

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.kv_heads or self.heads

    @property
    def qkv_width(self) -> int:
        """Elements of a token's queries, keys and values."""
        return (self.heads + 2 * self.key_heads) * self.head_size

    @property
    def ff_size(self) -> int:
        return self.d_ff or 4 * self.d_model

    @property
    def pattern(self) -> Pattern:
        match self.attention:
            case "full":
                return Full()
            case "causal":
                return Causal()
            case "window":
                return Window(left=self.window or 0)

    @property
    def generated(self) -> int:
        """Tokens that come out, for each sequence."""
        return self.tokens if self.phase == "decode" else 0

    @property
    def taken_in(self) -> int:
        """Tokens that pass the layers in this run, for each sequence: prompt and generated, not the past."""
        return self.prompt + self.generated

    @property
    def prompt_end(self) -> int:
        """Context behind the prompt, in tokens; steps up to it take in the prompt."""
        return self.past + self.prompt

    @property
    def context(self) -> int:
        """Longest context that the run reaches, in tokens."""
        return self.prompt_end + self.generated

    def steps(self, queries_at_once: int = 1) -> Iterator[Step]:
        """The passes over the layers in order; the prompt goes `queries_at_once` tokens at a time."""
        for first in range(0, self.prompt, queries_at_once):
            queries = min(queries_at_once, self.prompt - first)
            yield Step(queries=queries, context=self.past + first + queries, batch=self.batch)
        for token in range(self.generated):
            yield Step(queries=1, context=self.prompt_end + token + 1, batch=self.batch)

    def emits(self, step: Step) -> bool:
        """Whether tokens come out of a step: not of a prompt's inner ones."""
        return step.context > self.prompt_end or step.context == self.context

    @property
    def block_weights(self) -> int:
        """Weights in the matrices of all blocks, without biases and norms."""
        attention = self.d_model * (self.qkv_width + self.heads * self.head_size)
        matrices = 3 if self.mlp == "gated" else 2
        return self.layers * (attention + matrices * self.d_model * self.ff_size)

    @property
    def parameters(self) -> int:
        """Closed-form parameter count of the whole model."""
        hidden = self.ff_size * (2 if self.mlp == "gated" else 1)
        biases = self.qkv_width + self.d_model + hidden + self.d_model if self.bias else 0
        norm = self.d_model * (2 if self.norm == "layernorm" else 1)
        rows = self.vocab * (1 if self.tied_embeddings else 2) + (self.n_ctx if self.position == "learned" else 0)
        return self.block_weights + self.layers * (biases + 2 * norm) + rows * self.d_model + norm


class LlamaWorkload(GptWorkload):
    """A decoder-only transformer of Llama's form unless fields say otherwise."""

    family: Literal["gpt", "llama"] = "llama"
    norm: Literal["layernorm", "rmsnorm"] = "rmsnorm"
    position: Literal["learned", "rope"] = "rope"
    mlp: Literal["plain", "gated"] = "gated"
    activation: Literal["gelu", "silu"] = "silu"
    bias: bool = False
    tied_embeddings: bool = False


Workload = GptWorkload
FAMILIES: dict[str, type[GptWorkload]] = {"gpt": GptWorkload, "llama": LlamaWorkload}


def load_workload(path: Path | str, overrides: Mapping[str, Any] | None = None) -> Workload:
    """Read a workload file.

    Parameters
    ----------
    overrides : fields that replace those of the file; a dot leads into a group (`provenance.grade`)

    Raises
    ------
    WorkloadError : the message names the file, the field and what was expected
    """
    path = Path(path)
    document = read_mapping(path, WorkloadError)
    for key, value in (overrides or {}).items():
        group, _, field = key.partition(".")
        inner = document.get(group)
        document[group] = {**(inner if isinstance(inner, dict) else {}), field: value} if field else value
    return check_workload(document, origin=str(path))


def check_workload(document: Mapping[str, Any], *, origin: str) -> Workload:
    """A workload from the mapping that a file holds; `origin` names it in messages."""
    family = document.get("family", "gpt")
    if not isinstance(family, str) or family not in FAMILIES:
        raise WorkloadError(f"{origin}: family: expected one of {', '.join(FAMILIES)}, got {family!r}")
    model = FAMILIES[family]
    unknown = [key for key in document if key not in model.model_fields]
    if unknown:
        raise WorkloadError(f"{origin}: no field {unknown[0]!r}{nearest(unknown[0], model.model_fields)}")
    try:
        return model.model_validate(dict(document))
    except ValidationError as cause:
        raise WorkloadError(f"{origin}: {first_problem(cause)}") from None


def field_names() -> tuple[str, ...]:
    """Every field of a workload, those of a group with a dot."""
    names: list[str] = []
    for name in GptWorkload.model_fields:
        names += [f"provenance.{field}" for field in Provenance.model_fields] if name == "provenance" else [name]
    return tuple(names)


def json_schema() -> dict[str, Any]:
    """JSON Schema of a workload file, for editors."""
    either: TypeAdapter[GptWorkload | LlamaWorkload] = TypeAdapter(GptWorkload | LlamaWorkload)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **either.json_schema()}

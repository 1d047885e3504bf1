"""What is run of a model, as steps: each is one pass over its graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from hwsim.mapping.step import Step
from hwsim.mapping.workload.loads import Load
from hwsim.mapping.workload.model import Checked, Model

Unit = Literal["tokens", "images", "frames", "rows", "sequences"]


class Run(Checked, ABC):
    """A run of some model.

    Attributes
    ----------
    synonyms : other names that fields have in files and settings, to their own
    """

    synonyms: ClassVar[Mapping[str, str]] = MappingProxyType({})

    batch: int = Field(default=1, ge=1, le=65_536, description="sequences or images at once")

    @abstractmethod
    def steps(self, model: Model, queries_at_once: int = 1) -> Iterator[Step]:
        """The passes over the graph, in order.

        Parameters
        ----------
        queries_at_once : tokens of a prompt that a machine takes together
        """

    @property
    @abstractmethod
    def unit(self) -> Unit:
        """In what throughput is counted."""

    @property
    @abstractmethod
    def produced(self) -> int:
        """How many of `unit` come out of the run."""

    @abstractmethod
    def last_step(self, model: Model) -> Step:
        """The step that dumps of a graph show."""


def check_batch(batch: int, count: int, of: str) -> None:
    """Check that there is enough for one batch.

    Raises
    ------
    ValueError : there is not; a batch that was cut in silence would be another run than the one asked for
    """
    if batch > count:
        raise ValueError(f"batch {batch} is more than the {count} {of} of the run; set {of} too, to {batch} at least")


class DecoderRun(Run):
    """Token after token with a cache; or a prompt alone."""

    phase: Literal["decode", "prefill"] = "decode"
    past: int = Field(
        default=0, ge=0, le=100_000_000, description="tokens whose keys and values lie in the cache when the run begins"
    )
    prompt: int = Field(default=0, ge=0, le=100_000_000, description="tokens of the prompt")
    tokens: int = Field(default=1024, ge=0, le=100_000_000, description="tokens to generate (decode)")
    lm_head: Literal["excluded", "included"] = Field(
        default="excluded", description="whether the vocabulary projection is computed; excluded times the blocks alone"
    )
    routing: Load | None = Field(
        default=None, description="how many tokens the experts get, for models with experts; uniform unless given"
    )

    @field_validator("lm_head", mode="before")
    @classmethod
    def _where_is_the_machines_business(cls, value: Any) -> Any:
        if value in ("pim", "host"):
            raise ValueError(
                f"expected excluded or included, got {value!r}; where it runs is a parameter of the machine that has "
                f"a choice (--set lm_head={value})"
            )
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.phase == "prefill" and self.prompt == 0:
            raise ValueError("prefill needs a prompt of at least 1 token")
        if self.phase == "decode" and self.tokens == 0:
            raise ValueError("decode needs at least 1 token to generate")
        return self

    @property
    def unit(self) -> Unit:
        return "tokens"

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
        """Context after the prompt, in tokens; steps up to it take in the prompt."""
        return self.past + self.prompt

    @property
    def context(self) -> int:
        """Longest context that the run reaches, in tokens."""
        return self.prompt_end + self.generated

    @property
    def produced(self) -> int:
        """Tokens that throughput counts: the generated ones, or in a prefill those of the prompt."""
        return self.batch * (self.tokens if self.phase == "decode" else self.prompt)

    def steps(self, model: Model, queries_at_once: int = 1) -> Iterator[Step]:
        """The passes over the layers in order; the prompt goes `queries_at_once` tokens at a time."""
        for first in range(0, self.prompt, queries_at_once):
            queries = min(queries_at_once, self.prompt - first)
            yield self._step(queries, self.past + first + queries)
        for token in range(self.generated):
            yield self._step(1, self.prompt_end + token + 1)

    def last_step(self, model: Model) -> Step:
        return self._step(1, self.context)

    def _step(self, queries: int, context: int) -> Step:
        # steps are numbered by the place of their first token, however many go together
        load = None if self.routing is None else self.routing.at(context - queries - self.past)
        emits = context > self.prompt_end or context == self.context  # nothing comes out of a prompt's inner tokens
        return Step(queries=queries, context=context, batch=self.batch, results=None if emits else 0, load=load)


class SequenceRun(Run):
    """Whole sequences, each in one pass: encoders."""

    tokens: int = Field(default=512, ge=1, le=100_000_000, description="tokens of a sequence")
    sequences: int = Field(default=1, ge=1, le=100_000_000, description="sequences one after the other, in batches")

    @model_validator(mode="after")
    def _check_batch(self) -> Self:
        check_batch(self.batch, self.sequences, "sequences")
        return self

    @property
    def unit(self) -> Unit:
        return "sequences"

    def steps(self, model: Model, queries_at_once: int = 1) -> Iterator[Step]:
        for first in range(0, self.sequences, self.batch):
            batch = min(self.batch, self.sequences - first)
            yield Step(queries=self.tokens, context=self.tokens, batch=batch)

    @property
    def produced(self) -> int:
        return self.sequences

    def last_step(self, model: Model) -> Step:
        return Step(queries=self.tokens, context=self.tokens, batch=min(self.batch, self.sequences))

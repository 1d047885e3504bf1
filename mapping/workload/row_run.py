"""Runs of a single operator over rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

from pydantic import Field

from hwsim.mapping.step import Step
from hwsim.mapping.workload.loads import Load
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.run import Run, Unit


class RowRun(Run):
    """Rows that pass an operator together, in one step or several alike.

    The rows of attention are a sequence's tokens, so `tokens` is another name of `rows`.
    """

    synonyms: ClassVar[Mapping[str, str]] = MappingProxyType({"tokens": "rows"})

    rows: int = Field(default=1024, ge=1, le=100_000_000, description="rows (tokens, queries) of a sequence")
    source: int | None = Field(
        default=None, ge=1, le=100_000_000, description="keys of another sequence, for attention across two"
    )
    repeats: int = Field(default=1, ge=1, le=100_000_000, description="steps, each with the same number of rows")
    routing: Load | None = Field(
        default=None, description="how many tokens the experts get, for operators with experts; uniform unless given"
    )

    @property
    def unit(self) -> Unit:
        return "rows"

    @property
    def produced(self) -> int:
        return self.rows * self.batch * self.repeats

    def steps(self, model: Model, queries_at_once: int = 1) -> Iterator[Step]:
        for number in range(self.repeats):
            yield self._step(number)

    def last_step(self, model: Model) -> Step:
        return self._step(self.repeats - 1)

    def _step(self, number: int) -> Step:
        load = None if self.routing is None else self.routing.at(number)
        return Step(queries=self.rows, context=self.rows, batch=self.batch, source=self.source or 0, load=load)

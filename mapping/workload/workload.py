"""A workload: a model, a run of it, and perhaps a machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hwsim.mapping.step import Step
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.run import Run

ModelT_co = TypeVar("ModelT_co", bound=Model, covariant=True)
RunT_co = TypeVar("RunT_co", bound=Run, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Workload(Generic[ModelT_co, RunT_co]):
    """What is to be computed.

    Attributes
    ----------
    machine : the machine that runs it unless another is named; None leaves that open
    """

    model: ModelT_co
    run: RunT_co
    machine: str | None = None

    @property
    def name(self) -> str:
        return self.model.name

    def steps(self, queries_at_once: int = 1) -> Iterator[Step]:
        """The passes over the graph, in order."""
        return self.run.steps(self.model, queries_at_once)

    def fields(self) -> dict[str, Any]:
        """Every field by the name that a file has for it, as JSON holds it."""
        model, run = self.model.model_dump(mode="json"), self.run.model_dump(mode="json")
        return {"machine": self.machine, **model, **run}

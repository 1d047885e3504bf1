"""One pass over an operator graph: what gives its symbolic sizes their values."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class StepLoad(Protocol):
    """What data decides in one step; a run declares it (`mapping/workload/loads.py`), a machine may compute it."""

    @property
    def known(self) -> bool:
        """Whether it gives numbers before a machine has computed activations."""

    def queue_lengths(self, *, layer: int, tokens: int, experts: int, top_k: int) -> tuple[int, ...]:
        """Tokens that each expert of a layer gets: tokens * top_k in all, and no expert a token twice."""

    def token_experts(self, *, layer: int, tokens: int, experts: int, top_k: int) -> NDArray[np.int64]:
        """Experts of each token of a layer, (tokens, top_k): the same choice, token by token."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """For each sequence of the batch, `queries` new tokens that end at `context`; or one image or frame.

    Attributes
    ----------
    queries : tokens of each sequence (or image) that pass the layers together
    context : tokens of each sequence up to the last of them, those of earlier steps included
    results : sequences of which a result comes out at the end; all of the batch unless given
    source : tokens of the other sequence that cross-attention reads
    task : the task of this pass, for models that have several
    load : what data decides in this pass, where a model has experts
    arrives : seconds after the run's begin from which on its inputs are there
    """

    queries: int
    context: int
    batch: int = 1
    results: int | None = None
    source: int = 0
    task: int = 0
    load: StepLoad | None = None
    arrives: Fraction = Fraction(0)

    @property
    def tokens(self) -> int:
        """Vectors that pass the layers together."""
        return self.queries * self.batch

    @property
    def outputs(self) -> int:
        """Vectors that pass what follows the layers, one for each sequence of which a result comes out."""
        return self.batch if self.results is None else self.results
